# The test application for Rack: see README.md beside this file. One request at a time.
require 'digest'

BLOCK = Array.new(65_536) { |i| (i * 31 + (i >> 8)) & 255 }.pack('C*').freeze
MARKS = ENV.fetch('MARKS', '/tmp')

def plain(*text)
  [200, { 'Content-Type' => 'text/plain' }, text]
end

def mark(name, text)
  unfinished = "#{MARKS}/#{name}.#{Process.pid}"
  File.write(unfinished, text)
  File.link(unfinished, "#{MARKS}/#{name}")
  true
rescue Errno::EEXIST
  false
ensure
  File.unlink(unfinished)
end

# The pattern, and what happens once it has gone out or cannot.
class Pattern
  def initialize(bytes, failed: nil, &after)
    @bytes = bytes
    @failed = failed
    @after = after
  end

  def each
    left = @bytes
    while left.positive?
      part = [left, BLOCK.size].min
      yield BLOCK[0, part]
      left -= part
    end
    @after&.call
  rescue StandardError
    raise unless @failed
    @failed.call
  end
end

def abort_now
  Process.kill(:ABRT, Process.pid)
  sleep
end

def digest(input)
  sum = Digest::SHA256.new
  length = 0
  while (piece = input.read(16_384))
    sum << piece
    length += piece.size
  end
  plain("#{length} #{sum.hexdigest}\n")
end

def variables(env)
  lines = env.select { |name, value| name =~ /\A[A-Z]/ && value.is_a?(String) }.map do |name, value|
    encoded = value.b.gsub(/[^\x21-\x24\x26-\x7e]/n) { |c| format('%%%02X', c.ord) }
    "#{name}=#{encoded}\n"
  end
  plain(*lines)
end

def generate(env, query)
  fields = { 'Content-Type' => 'application/octet-stream' }
  fields['Content-Length'] = query['bytes'] unless query['length'] == '0'
  [200, fields, env['REQUEST_METHOD'] == 'HEAD' ? [] : Pattern.new(query['bytes'].to_i)]
end

def status(code)
  [code.to_i, { 'Content-Type' => 'text/plain', 'X-Test' => 'yes' }, %w[204 304].include?(code) ? [] : ["body\n"]]
end

def diagnostics(env, text)
  env['rack.errors'].puts("#{text} of the request")
  $stderr.syswrite("#{text} of the process\n")
  plain("reported\n")
end

def endless(name)
  failed = -> { mark(name, "write failed\n") }
  [200, { 'Content-Type' => 'text/plain' }, Pattern.new(1 << 60, failed: failed)]
end

def crash(bytes)
  abort_now unless bytes
  [200, { 'Content-Type' => 'text/plain' }, Pattern.new(bytes.to_i) { abort_now }]
end

def once(name)
  abort_now if mark(name, "crashed once\n")
  plain("#{Process.pid}\n")
end

def hang(name)
  mark(name, "hanging\n")
  sleep
end

run(lambda do |env|
  query = env['QUERY_STRING'].split('&').to_h { |pair| pair.split('=', 2) }
  case env['REQUEST_URI'].split('?').first
  when '/hello' then plain("hello\n")
  when '/env' then variables(env)
  when '/digest' then digest(env['rack.input'])
  when '/generate' then generate(env, query)
  when '/status' then status(query['code'])
  when '/cookies' then [200, { 'Content-Type' => 'text/plain', 'Set-Cookie' => "a=1\nb=2" }, ["set\n"]]
  when '/redirect' then [302, { 'Location' => 'http://viaduct.test/hello' }, []]
  when '/stderr' then diagnostics(env, query['text'])
  when '/pid' then plain("#{Process.pid}\n")
  when '/setting' then plain("#{ENV.fetch(query['name'])}\n")
  when '/sleep'
    sleep(query['ms'].to_f / 1000)
    plain("slept\n")
  when '/endless' then endless(query['mark'])
  when '/crash' then crash(query['bytes'])
  when '/once' then once(query['mark'])
  when '/hang' then hang(query['mark'])
  when '/early' then plain("early\n")
  else [404, { 'Content-Type' => 'text/plain' }, ["not found\n"]]
  end
end)
