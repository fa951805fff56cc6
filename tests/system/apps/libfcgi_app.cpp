// The test application on libfcgi's C++ streams (fcgio.h): see README.md beside this file. One
// request at a time.
#include <fcgio.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <thread>

#include <openssl/evp.h>

namespace {

std::string make_block() {
  std::string made(65536, '\0');
  for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<char>(i * 31 + (i >> 8));
  return made;
}

const std::string block = make_block();

struct Exchange {
  FCGX_Request& request;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;

  std::string variable(const char* name) const {
    const char* value = FCGX_GetParam(name, request.envp);
    return value ? value : "";
  }

  /// The value of a query parameter, not decoded; empty when absent.
  std::string query(std::string_view name) const {
    const std::string all = variable("QUERY_STRING");
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t end = std::min(all.find('&', at), all.size());
      const std::string_view pair(all.data() + at, end - at);
      if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
        return std::string(pair.substr(name.size() + 1));
      }
      at = end + 1;
    }
    return {};
  }

  unsigned long long number(std::string_view name) const {
    return std::strtoull(query(name).c_str(), nullptr, 10);
  }

  std::ostream& plain() const { return out << "Content-Type: text/plain\r\n\r\n"; }

  bool mark(const char* text) const {
    const char* directory = std::getenv("MARKS");
    const std::string path = std::string(directory ? directory : "/tmp") + "/" + query("mark");
    const std::string unfinished = path + '.' + std::to_string(getpid());
    std::FILE* file = std::fopen(unfinished.c_str(), "w");
    if (!file) return false;
    std::fputs(text, file);
    const bool made = std::fclose(file) == 0 && link(unfinished.c_str(), path.c_str()) == 0;
    unlink(unfinished.c_str());
    return made;
  }

  bool pattern(unsigned long long bytes) const {
    while (bytes > 0 && out) {
      const std::size_t part = std::min<unsigned long long>(bytes, block.size());
      out.write(block.data(), static_cast<std::streamsize>(part));
      bytes -= part;
    }
    return static_cast<bool>(out);
  }
};

void env(const Exchange& exchange) {
  exchange.plain();
  for (char** at = exchange.request.envp; *at; ++at) {
    const std::string_view line(*at);
    const std::size_t equals = line.find('=');
    if (equals == line.npos) continue;
    exchange.out << line.substr(0, equals + 1);
    for (const char c : line.substr(equals + 1)) {
      char text[4] = {c};
      if (c <= ' ' || c >= 0x7f || c == '%') {
        std::snprintf(text, sizeof text, "%%%02X", static_cast<unsigned char>(c));
      }
      exchange.out << text;
    }
    exchange.out << '\n';
  }
}

void digest(const Exchange& exchange) {
  std::array<char, 16384> buffer;
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum;
  unsigned int size = 0;
  unsigned long long length = 0;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  while (exchange.in.read(buffer.data(), buffer.size()) || exchange.in.gcount() > 0) {
    const auto got = static_cast<std::size_t>(exchange.in.gcount());
    EVP_DigestUpdate(context, buffer.data(), got);
    length += got;
  }
  EVP_DigestFinal_ex(context, sum.data(), &size);
  EVP_MD_CTX_free(context);
  exchange.plain() << length << ' ';
  for (unsigned int i = 0; i < size; ++i) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", sum[i]);
    exchange.out << text;
  }
  exchange.out << '\n';
}

void generate(const Exchange& exchange) {
  exchange.out << "Content-Type: application/octet-stream\r\n";
  if (exchange.query("length") != "0") {
    exchange.out << "Content-Length: " << exchange.query("bytes") << "\r\n";
  }
  exchange.out << "\r\n";
  if (exchange.variable("REQUEST_METHOD") != "HEAD") exchange.pattern(exchange.number("bytes"));
}

void status(const Exchange& exchange) {
  const std::string code = exchange.query("code");
  exchange.out << "Status: " << code << " Test\r\nContent-Type: text/plain\r\nX-Test: yes\r\n\r\n";
  if (code != "204" && code != "304") exchange.out << "body\n";
}

void diagnostics(const Exchange& exchange) {
  const std::string text = exchange.query("text");
  exchange.err << text << " of the request\n" << std::flush;
  std::cerr << text << " of the process\n" << std::flush;
  exchange.plain() << "reported\n";
}

void setting(const Exchange& exchange) {
  const char* value = std::getenv(exchange.query("name").c_str());
  exchange.plain() << (value ? value : "") << '\n';
}

void crash(const Exchange& exchange) {
  if (const auto bytes = exchange.number("bytes"); bytes > 0) {
    exchange.plain();
    exchange.pattern(bytes);
    exchange.out.flush();
  }
  std::abort();
}

void endless(const Exchange& exchange) {
  exchange.plain();
  while (exchange.pattern(block.size())) continue;
  exchange.mark("write failed\n");
}

void once(const Exchange& exchange) {
  if (exchange.mark("crashed once\n")) std::abort();
  exchange.plain() << getpid() << '\n';
}

[[noreturn]] void hang(const Exchange& exchange) {
  exchange.mark("hanging\n");
  for (;;) pause();
}

void sleep(const Exchange& exchange) {
  std::this_thread::sleep_for(std::chrono::milliseconds(exchange.number("ms")));
  exchange.plain() << "slept\n";
}

using Page = std::function<void(const Exchange&)>;
const std::map<std::string, Page> pages{
    {"/hello", [](const Exchange& exchange) { exchange.plain() << "hello\n"; }},
    {"/env", env},
    {"/digest", digest},
    {"/generate", generate},
    {"/status", status},
    {"/cookies",
     [](const Exchange& exchange) {
       exchange.out
           << "Content-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nset\n";
     }},
    {"/redirect",
     [](const Exchange& exchange) {
       exchange.out << "Location: http://viaduct.test/hello\r\n\r\n";
     }},
    {"/stderr", diagnostics},
    {"/pid", [](const Exchange& exchange) { exchange.plain() << getpid() << '\n'; }},
    {"/setting", setting},
    {"/sleep", sleep},
    {"/endless", endless},
    {"/crash", crash},
    {"/once", once},
    {"/hang", hang},
    {"/early", [](const Exchange& exchange) { exchange.plain() << "early\n"; }},
};

}  // namespace

int main() {
  FCGX_Request request;
  if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0) return 1;
  while (FCGX_Accept_r(&request) == 0) {
    fcgi_streambuf input(request.in), output(request.out), errors(request.err);
    std::istream in(&input);
    std::ostream out(&output), err(&errors);
    const Exchange exchange{request, in, out, err};
    const std::string target = exchange.variable("REQUEST_URI");
    const auto page = pages.find(target.substr(0, target.find('?')));
    if (page != pages.end()) {
      page->second(exchange);
    } else {
      out << "Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nnot found\n";
    }
    out.flush();
  }
  return 0;
}
