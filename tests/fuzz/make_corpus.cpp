// Writes the seed corpora: make_corpus DIRECTORY. Deterministic; the files are in
// tests/fuzz/corpus.

#include <fastcgi.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "daemon/channel/lost_requests.hpp"
#include "daemon/channel/message.hpp"
#include "daemon/channel/request_list.hpp"
#include "tests/support/fastcgi_records.hpp"
#include "tests/support/scgi_bytes.hpp"
#include "tests/support/uwsgi_bytes.hpp"

namespace {

using namespace viaduct::test;
namespace fs = std::filesystem;

class Corpus {
 public:
  Corpus(const fs::path& root, const std::string& target) : directory_(root / target) {
    fs::create_directories(directory_);
  }
  void add(const std::string& name, const std::string& bytes) const {
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
  }

 private:
  fs::path directory_;
};

const NameValues kVariables{{"REQUEST_METHOD", "POST"}, {"CONTENT_LENGTH", "5"},
                            {"HTTP_COOKIE", "a=1"},     {"HTTP_COOKIE", "b=2"},
                            {"HTTP_PROXY", "evil"},     {"QUERY_STRING", ""}};

// The first byte is the fuzzer's own: bit 0 no multiplexing, bit 1 a window, bits 2 and 3 the
// owner's behaviour (0 leaves requests open, 1 ends, 2 fails, 3 says nothing).
void fastcgi_server(const fs::path& root) {
  const Corpus corpus(root, "fastcgi_server");
  const std::string post = request(1, kVariables, "hello");
  corpus.add("post", "\x0c" + post);
  corpus.add("keep_alive", "\x04" + post + request(1, {}) + post);
  corpus.add("without_keep_conn", "\x04" + request(1, {}, "", 0));
  corpus.add("failing", "\x08" + post);
  corpus.add("interleaved", "\x0c" + begin_record(1) + begin_record(2) +
                                params_records(2, {{"A", "1"}}) + params_records(1, {}) +
                                stdin_record(2, "x", 255) + stdin_record(1, "") +
                                stdin_record(2, ""));
  corpus.add("no_multiplexing", std::string("\x0d") + begin_record(1) + begin_record(2));
  corpus.add("too_many_requests", std::string("\x04") + begin_record(1) + begin_record(2) +
                                      begin_record(3) + begin_record(4) + begin_record(5) +
                                      begin_record(6));
  corpus.add("aborts", "\x0c" + begin_record(1) + abort_record(1) + begin_record(1) +
                           params_records(1, {}) + abort_record(1));
  corpus.add("truncated_body", "\x0c" + request(1, kVariables, "hell"));
  corpus.add("authorizer", "\x0c" + begin_record(1, FCGI_AUTHORIZER) + params_records(1, {}));
  corpus.add("filter", std::string(1, '\0') + begin_record(1, FCGI_FILTER) + params_records(1, {}) +
                           stdin_record(1, "") + record(FCGI_DATA, 1, "file") +
                           record(FCGI_DATA, 1, ""));
  corpus.add("unknown_role", "\x0c" + begin_record(1, 9));
  corpus.add("unknown_types", "\x0c" + record(77, 0, "x") + record(77, 1, "x"));
  corpus.add("credit", "\x0e" + get_values({{"VIADUCT_WINDOW", "16384"}, {"FCGI_MAX_REQS", ""}}) +
                           begin_record(1) + params_records(1, {}) + credit_record(1, 5));
  corpus.add("values", "\x12" + get_values({{"FCGI_MAX_CONNS", ""}, {"FCGI_MPXS_CONNS", ""}}) +
                           get_values({{"VIADUCT_WINDOW", "16384"}, {"VIADUCT_PREFETCH", ""}}) +
                           begin_record(1) + params_records(1, {}) +
                           get_values({{"VIADUCT_DRAINING", ""}}) + stdin_record(1, "x"));
  corpus.add("answered_in_turn", std::string(1, '\0') + begin_record(1) + begin_record(2) +
                                     begin_record(3) + params_records(1, {}) +
                                     params_records(2, {}) + params_records(3, {}) +
                                     abort_record(1) + abort_record(2) + abort_record(3));
  corpus.add("trace", "\x0e" + get_values({{"VIADUCT_WINDOW", "16384"}}) + begin_record(1) +
                          params_records(1, {}) + record(129, 1, "") + record(129, 2, ""));
  corpus.add("long_lengths",
             "\x0c" + begin_record(1) +
                 record(FCGI_PARAMS, 1, long_length(0x7fffffff) + long_length(0x7fffffff) + "x"));
}

void fastcgi_client(const fs::path& root) {
  const Corpus corpus(root, "fastcgi_client");
  const std::string values = record(
      FCGI_GET_VALUES_RESULT, 0,
      pairs({{"FCGI_MPXS_CONNS", "1"}, {"FCGI_MAX_REQS", "1000"}, {"VIADUCT_WINDOW", "65536"}}));
  const std::string answer = record(FCGI_STDOUT, 1, "Content-Type: text/plain\r\n\r\nhello", 7) +
                             record(FCGI_STDOUT, 1, "") + end_record(1);
  corpus.add("answer", std::string("\0", 1) + answer);
  corpus.add("values", "\x05" + values + record(FCGI_GET_VALUES_RESULT, 0, "") + answer);
  corpus.add("credit", "\x05" + values + credit_record(1, 65536) + answer);
  corpus.add("trace", "\x05" + values + record(129, 1, "main at main.cpp:7\n") + answer);
  corpus.add("interleaved", std::string("\0", 1) + record(FCGI_STDOUT, 1, "a", 255) +
                                record(FCGI_STDERR, 2, "b") + end_record(2, 1, FCGI_OVERLOADED) +
                                end_record(1));
  corpus.add("unknown",
             std::string("\0", 1) + record(FCGI_UNKNOWN_TYPE, 0, "12345678") + record(99, 1, "x"));
  corpus.add("not_fastcgi", std::string("\0", 1) + "Content-Type: text/plain\r\n\r\n");
}

void fastcgi_params(const fs::path& root) {
  const Corpus corpus(root, "fastcgi_params");
  corpus.add("variables", pairs(kVariables));
  corpus.add("long_value", pairs({{"A", std::string(200, 'v')}, {std::string(130, 'n'), "1"}}));
  corpus.add("four_byte_forms", long_length(1) + long_length(2) + "Axy");
  corpus.add("lengths_near_2_31", long_length(0x7fffffff) + long_length(0x7ffffff0) + "x");
  NameValues many;
  for (int i = 0; i < 150; ++i) many.emplace_back("N" + std::to_string(i % 120), "");
  corpus.add("many_names", pairs(many));
  corpus.add("repeated", pairs({{"HTTP_X", "1"}, {"HTTP_X", "2"}, {"Q", "1"}, {"Q", "2"}}));
}

void scgi_server(const fs::path& root) {
  const Corpus corpus(root, "scgi_server");
  corpus.add("get", scgi_request({{"REQUEST_METHOD", "GET"}, {"QUERY_STRING", ""}}));
  corpus.add("post", scgi_request({{"HTTP_COOKIE", "a"}, {"HTTP_COOKIE", "b"}}, "body"));
  corpus.add("length_not_first", netstring(scgi_block({{"SCGI", "1"}, {"CONTENT_LENGTH", "0"}})));
  corpus.add("scgi_twice",
             netstring(scgi_block({{"CONTENT_LENGTH", "0"}, {"SCGI", "1"}, {"SCGI", "1"}})));
  corpus.add("long_size", "9999999999:x");
  corpus.add("cut_block", netstring("CONTENT_LENGTH"));
}

void uwsgi_server(const fs::path& root) {
  const Corpus corpus(root, "uwsgi_server");
  corpus.add("get", uwsgi_packet(uwsgi_block({{"REQUEST_METHOD", "GET"}, {"QUERY_STRING", ""}})));
  corpus.add("post", uwsgi_request({{"HTTP_COOKIE", "a"}, {"HTTP_COOKIE", "b"}}, "body"));
  corpus.add("empty_block", uwsgi_packet(""));
  corpus.add("modifier", uwsgi_packet(uwsgi_block({{"A", "1"}}), 100));
  corpus.add("cut_block", uwsgi_packet(std::string("\1\0A\xff\xff", 5)));
  corpus.add("empty_name", uwsgi_packet(uwsgi_block({{"", "1"}})));
}

void one_request_clients(const fs::path& root) {
  const Corpus corpus(root, "one_request_clients");
  corpus.add("get", uwsgi_packet(uwsgi_block({{"REQUEST_METHOD", "GET"}, {"QUERY_STRING", ""}})));
  corpus.add("post", uwsgi_request({{"REQUEST_METHOD", "POST"}}, "body"));
  corpus.add("mark", uwsgi_request({{"SCGI", "2"}, {"A", std::string(300, 'x')}}, "b"));
  corpus.add("none", uwsgi_packet(""));
}

// The first byte is the fuzzer's own: bits 0 and 1 the owner's behaviour (0 answers each request
// when it is complete, 1 at once, 2 fails, 3 says nothing), bit 2 whether odd names are kept.
void http_server(const fs::path& root) {
  const Corpus corpus(root, "http_server");
  const std::string get = "GET /a%20b?c=d HTTP/1.1\r\nHost: example.org:80\r\nCookie: a\r\n\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n\r\n";
  const std::string zero(1, '\0');
  corpus.add("pipelined", zero + get + "\r\n" + get + post + "Content-Length: 4\r\n\r\nbody" + get);
  corpus.add("chunked", zero + post + chunked + "4;x=y\r\nbody\r\n0\r\nA: b\r\n\r\n" + get);
  corpus.add("continue", zero + post + "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx");
  corpus.add("early", "\1" + post + "Content-Length: 4\r\n\r\nbody" + get);
  corpus.add("failing", "\2" + get + get);
  corpus.add("silent", "\3" + get + get);
  corpus.add("http10", zero + "HEAD http://h/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get);
  corpus.add("both_lengths", zero + post + "Content-Length: 4\r\n" + chunked + "0\r\n\r\n");
  corpus.add("folded", zero + "GET / HTTP/1.1\r\nHost: h\r\n x\r\n\r\n");
  corpus.add("bad_chunk", zero + post + chunked + "4\r\nbodyX");
  corpus.add("bad_chunk_pipelined", zero + get + post + chunked + "X");
  const std::string odd = "GET / HTTP/1.1\r\nHost: h\r\nX_A: a\r\nX.A: b\r\nX-B: c\r\nX_B: d\r\n";
  corpus.add("odd_names", zero + odd + "\r\n");
  corpus.add("odd_names_kept", "\4" + odd + "X-Real_IP: e\r\n\r\n");
  corpus.add("options", zero + "OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
}

void proxy_header(const fs::path& root) {
  const Corpus corpus(root, "proxy_header");
  corpus.add("line", "PROXY TCP4 192.0.2.1 198.51.100.2 5000 443\r\nGET");
  corpus.add("line6", "PROXY TCP6 2001:db8::1 ::1 5000 443\r\n");
  corpus.add("unknown", "PROXY UNKNOWN a b\r\n");
  corpus.add("absent", "GET / HTTP/1.1\r\n");
  corpus.add("addresses", "\1\2\3\4\5\6\7\10\1\x50\1\x51");
  const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);
  corpus.add("binary6", signature + std::string("\x21\x21\0\x24", 4) + std::string(36, '\1'));
  corpus.add("local", signature + std::string("\x20\0\0\0", 4) + "GET");
}

// A step of a script, see connection_fuzzer.cpp. Kinds: 0 a front server connects, 1 it sends, 2 it
// leaves, 3 the worker answers the first question, 4 sends bytes, 5 responds, 6 closes.
std::string step(unsigned kind, unsigned argument, const std::string& bytes = "") {
  const auto byte = [](std::size_t number) { return static_cast<char>(number & 0xff); };
  return std::string{byte(kind), byte(argument), byte(bytes.size()), byte(bytes.size() >> 8)} +
         bytes;
}

void connection(const fs::path& root) {
  const Corpus corpus(root, "connection");
  const std::string answer = "Content-Type: text/plain\r\n\r\nhello";
  const std::string multiplexing = step(3, 0x0f);
  const std::string plain = step(3, 0);
  const std::string post = request(1, kVariables, "hello");
  const std::string get = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n";
  corpus.add("fastcgi", multiplexing + step(0, 0) + step(1, 0, post) + step(5, 0x80, answer));
  corpus.add("fastcgi_plain", plain + step(0, 0) + step(1, 0, post) + step(5, 0x80, answer));
  corpus.add("fastcgi_two_requests",
             multiplexing + step(0, 0) +
                 step(1, 0, begin_record(1) + begin_record(2) + params_records(1, kVariables)) +
                 step(1, 0, params_records(2, {{"A", "1"}}) + stdin_record(2, "")) +
                 step(5, 0x81, answer) + step(1, 0, stdin_record(1, "hello")) +
                 step(1, 0, abort_record(1)) + step(5, 0x80, answer));
  corpus.add("scgi", multiplexing + step(0, 1) + step(1, 0, scgi_request(kVariables, "body")) +
                         step(5, 0x80, answer));
  corpus.add("uwsgi", plain + step(0, 2) + step(1, 0, uwsgi_request({{"A", "1"}}, "body")) +
                          step(5, 0x80, answer));
  corpus.add("http", multiplexing + step(0, 3) + step(1, 0, get + get) + step(5, 0x80, answer) +
                         step(5, 0x80, "Status: 404 No\r\nContent-Length: 2\r\n\r\nno"));
  corpus.add("http_chunked",
             multiplexing + step(0, 3) +
                 step(1, 0, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n") +
                 step(1, 0, "4\r\nbody\r\n") + step(5, 0, answer) + step(1, 0, "0\r\n\r\n") +
                 step(5, 0x80, "more"));
  const std::string large(9000, 'b');
  corpus.add(
      "large",
      multiplexing + step(0, 0) +
          step(1, 0,
               begin_record(1) + params_records(1, {{"HTTPS", "off"}}) + stdin_record(1, large)) +
          step(5, 0, answer + large) + step(1, 0, stdin_record(1, "")) + step(5, 0x80, large));
  corpus.add("credit",
             multiplexing + step(0, 0) +
                 step(1, 0, begin_record(1) + params_records(1, {}) + stdin_record(1, "hello")) +
                 step(4, 0, credit_record(1, 5)) + step(5, 0, answer) +
                 step(4, 0, record(FCGI_STDERR, 1, "line\n")) + step(5, 0x80, "x"));
  corpus.add("head_too_large", multiplexing + step(0, 3) +
                                   step(1, 0, "GET / HTTP/1.1\r\nX: " + std::string(8200, 'x')));
  corpus.add("expectations",
             multiplexing + step(0, 3) +
                 step(1, 0,
                      "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Length: "
                      "1\r\nExpect: 100-continue\r\n\r\n") +
                 step(1, 0, "x") + step(5, 0x80, answer) +
                 step(1, 0, "GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n"));
  corpus.add("absolute_target",
             multiplexing + step(0, 1) +
                 step(1, 0,
                      scgi_request({{"HTTP_HOST", "h"}, {"REQUEST_URI", "http://other.org:81?x"}},
                                   "body")) +
                 step(5, 0x80, answer));
  const std::string cut = "Content-Length: 9\r\n\r\nhello";
  const std::string page(70000, 'p');
  const std::string long_cut = "Content-Length: 90000\r\n\r\n" + page;
  for (const unsigned protocol : {0U, 3U}) {
    const std::string asked = protocol == 0 ? post : get;
    const std::string begun = plain + step(0, protocol) + step(1, 0, asked);
    corpus.add("short_response_" + std::to_string(protocol), begun + step(5, 0x80, cut));
    corpus.add("short_response_begun_" + std::to_string(protocol),
               begun + step(5, 0, long_cut.substr(0, 60000)) + step(5, 0x80, "x"));
  }
  corpus.add("queued", step(0, 3) + step(1, 0, get) + multiplexing + step(5, 0x80, answer));
  corpus.add("client_leaves",
             multiplexing + step(0, 3) + step(1, 0, get) + step(2, 0) + step(5, 0x80, answer));
  corpus.add("worker_dies", multiplexing + step(0, 3) + step(1, 0, get) + step(6, 0) + step(0, 0) +
                                step(1, 1, post));
  corpus.add("worker_dies_inside",
             plain + step(0, 0) + step(1, 0, post) + step(5, 0, answer) + step(6, 0));
  corpus.add("worker_says_nonsense", multiplexing + step(0, 3) + step(1, 0, get) +
                                         step(4, 0, record(FCGI_STDOUT, 7, "x") + "HTTP/1.1"));
  corpus.add("overloaded", multiplexing + step(0, 3) + step(1, 0, get) +
                               step(4, 0, end_record(1, 0, FCGI_OVERLOADED)));
  corpus.add("split_response", multiplexing + step(0, 3) + step(1, 0, get) +
                                   step(5, 0x80, "Location: /a\rX: y\r\n\r\n"));
}

// Lines: `trusted`, and variables. F Forwarded; of X-Forwarded-*: G For, H Proto, I Host, J Port.
void forwarded(const fs::path& root) {
  const Corpus corpus(root, "forwarded");
  const std::string trusted = "10.0.0.0/8 fd00::/8 uid:33\n";
  corpus.add("chain", trusted + "G192.0.2.1, 198.51.100.2:80, [fd00::1]:443, 10.1.2.3");
  corpus.add("unknown", trusted + "G192.0.2.1, unknown, 10.1.2.3");
  corpus.add("values", "\nHhttp, https\nIa.example, b.example:8443\nJ80, 8443");
  corpus.add("nonsense", "\nHftp\nIa/b\nJ65536");
  corpus.add("forwarded", trusted +
                              "Ffor=192.0.2.1;proto=http, for=\"[2001:db8::1]:4711\";"
                              "proto=https;host=\"a.ex\\ample:1\";by=_x");
  corpus.add("both", trusted + "Ffor=192.0.2.1\nG192.0.2.2");
}

void cgi_head(const fs::path& root) {
  const Corpus corpus(root, "cgi_head");
  corpus.add("document", "Content-Type: text/html\r\nContent-Length: 4\r\n\r\nbody");
  corpus.add("line_feeds", "Status: 404 Not Found\nX: y\n\n");
  corpus.add("status_line", "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n");
  corpus.add("redirect", "Location: http://example.org/\r\n\r\n");
  corpus.add("hop_by_hop", "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
  corpus.add("bad_line", "X: y\r\n folded\r\n\r\n");
}

std::string form_part(const std::string& disposition, const std::string& content) {
  return "--b\r\nContent-Disposition: " + disposition + "\r\n\r\n" + content + "\r\n";
}

void multipart(const fs::path& root) {
  const Corpus corpus(root, "multipart");
  const std::string field = form_part("form-data; name=\"a\"", "1");
  const std::string file =
      form_part("form-data; name=\"f\"; filename=\"C:\\dir\\f.txt\"\r\nContent-Type: text/plain",
                "\r\n--\r\n--c\r");
  corpus.add("form", field + file + "--b--\r\n");
  corpus.add("empty", "--b--");
  corpus.add("preamble_and_epilogue", "pre\r\n" + field + "--b-- \r\nepilogue");
  corpus.add("folded_header", "--b \t\r\nA: 1;\r\n b=2\r\n\r\n--b--");
  corpus.add("unfinished", field + file);
  corpus.add("delimiter_goes_on", field + "--bc");
  corpus.add("line_feeds", "--b\nA: 1\n\n1\n--b--\n");
  corpus.add("many_parts", field + field + field + field + field + "--b--");
  corpus.add("long_header", form_part("form-data; name=\"" + std::string(200, 'n') + '"', ""));
  corpus.add("disposition",
             "form-data; name=\"a \\\"b\\\"\"; filename=../x; filename*=UTF-8''%C3%A9");
  corpus.add("latin1_filename", "form-data; name=a; filename*=ISO-8859-1'en'%A3%2f..%00");
}

void query(const fs::path& root) {
  const Corpus corpus(root, "query");
  corpus.add("pairs", "a=1&b=two+words&a=%C3%A9");
  corpus.add("odd_pairs", "&&a&=&=v&b=c=d;e");
  corpus.add("malformed_escapes", "a=%&b=%4&c=%zz%41&%%41");
  corpus.add("many_pairs", "a&b&c&d&e&f&g&h&i");
  corpus.add("long_value", "a=" + std::string(64, 'v') + "&b=" + std::string(65, 'v'));
}

void cookie(const fs::path& root) {
  const Corpus corpus(root, "cookie");
  corpus.add("first_of_two", "a\na=1; b=2; a=3");
  corpus.add("comma", "b\na=1, b=\"2\"");
  corpus.add("absent", "c\na=1;b; c ;;= ;");
  corpus.add("quotes", "a\n a = \" ; b=\"\"");
  corpus.add("no_name", "\n=1");
}

// Lines: the size, the entity tag, Range, If-Range.
void byte_range(const fs::path& root) {
  const Corpus corpus(root, "byte_range");
  corpus.add("part", "10\n\"a\"\nbytes=2-5\n\"a\"");
  corpus.add("suffix", "10\n\"a\"\nbytes=-3\nW/\"a\"");
  corpus.add("to_the_end", "784111777\n\nbytes=3-\nSun, 06 Nov 1994 08:49:37 GMT");
  corpus.add("unsatisfiable", "10\n\nbytes=10-");
  corpus.add("nothing_there", "0\n\nbytes=-1");
  corpus.add("several", "10\n\nbytes=0-1,3-4");
  corpus.add("beyond_64_bits", "18446744073709551615\n\n18446744073709551614-18446744073709551616");
  corpus.add("backwards", "10\n\n5-2");
}

// Lines: the entity tag, when modified, and fields. @ If-Match, A If-None-Match,
// B If-Modified-Since, C If-Unmodified-Since.
void preconditions(const fs::path& root) {
  const Corpus corpus(root, "preconditions");
  const std::string current = "\"a\"\n784111777\n";
  corpus.add("match", current + "@\"b\", \"a\"\nA\"c\",W/\"a\"");
  corpus.add("star", "\n0\n@*\nA * ");
  corpus.add("weak", "W/\"a\"\n0\n@W/\"a\"\nAW/\"a\"");
  corpus.add("dates", current + "BSun, 06 Nov 1994 08:49:37 GMT\nCSunday, 06-Nov-94 08:49:36 GMT");
  corpus.add("asctime", current + "BSun Nov  6 08:49:37 1994\nC-");
  corpus.add("leap_second", current + "BFri, 31 Dec 9999 23:59:60 GMT");
  corpus.add("before_1970", "\n-62167219200\nBSat, 01 Jan 0000 00:00:00 GMT");
  corpus.add("repeated", current + "A\"b\"\nA\"a\"\nBWed Nov 16 08:49:37 1994");
  corpus.add("malformed", "a\n1\n@a, \"b\nA\"\"x\"");
}

template <class Value>
std::string raw(const Value& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

// As channel_fuzzer.cpp reads it: 'm' and a message, 'd' for a bridge that was told to drain, 'l'
// and a list, 'r', a count and lost requests; the last two to the end.
void channel(const fs::path& root) {
  namespace messages = viaduct::daemon::channel;
  using messages::Type;
  const Corpus corpus(root, "channel");
  const auto say = [](Type type, std::uint32_t app = 0) {
    messages::Message message;
    message.type = type;
    message.app = app;
    message.serial = 7;
    message.set_path("tcp:10.0.0.7:9000");
    message.set_reason("it hangs");
    return "m" + raw(message);
  };
  const std::string started = say(Type::started);
  corpus.add("a_life", started + say(Type::ready) + say(Type::demand) + say(Type::requests) +
                           say(Type::kill) + say(Type::worker_idle) + say(Type::server) +
                           say(Type::server_gone) + "d" + say(Type::left) + say(Type::drained));
  corpus.add("starts_twice", started + started);
  corpus.add("unasked", started + say(Type::left));
  corpus.add("of_the_master", started + say(Type::accept));
  corpus.add("no_app", started + say(Type::server, 99));
  corpus.add("unknown", started + say(static_cast<Type>(99)));
  messages::Message endless;
  endless.type = Type::server;
  endless.reason.fill('x');
  corpus.add("endless_text", started + "m" + raw(endless));
  corpus.add("half", started + started.substr(0, 100));
  messages::ListedRequest request{.id = "a",
                                  .method = "GET",
                                  .target = "/",
                                  .state = "working",
                                  .no_stack = "",
                                  .age_ms = 12,
                                  .worker_pid = 900,
                                  .stack = {"#0 main", "#1 _start"}};
  const std::string list = messages::encode({request, {}}).bytes;
  corpus.add("list", "l" + list);
  corpus.add("list_cut", "l" + list.substr(0, list.size() / 2));
  corpus.add("list_length", "l" + raw(UINT32_MAX) + list);
  messages::LostRequests lost;
  lost.add("GET / id=5 age_ms=7 working");
  lost.add("POST /x");
  corpus.add("lost", "r" + raw(std::uint32_t{2}) + messages::encode(lost));
  corpus.add("lost_more", "r" + raw(std::uint32_t{70}) + messages::encode(lost) + "tail");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_corpus DIRECTORY\n";
    return 64;
  }
  const fs::path root = argv[1];
  fastcgi_server(root);
  fastcgi_client(root);
  fastcgi_params(root);
  http_server(root);
  proxy_header(root);
  connection(root);
  forwarded(root);
  scgi_server(root);
  uwsgi_server(root);
  one_request_clients(root);
  cgi_head(root);
  multipart(root);
  query(root);
  cookie(root);
  byte_range(root);
  preconditions(root);
  channel(root);
  return 0;
}
