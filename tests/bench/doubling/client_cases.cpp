#include "daemon/bridge/dispatch/response_filter.hpp"
#include "daemon/bridge/dispatch/stderr_lines.hpp"
#include "daemon/log/escape.hpp"
#include "protocol/fastcgi/client_codec.hpp"
#include "protocol/fastcgi/flow_control.hpp"
#include "protocol/scgi/client_codec.hpp"
#include "protocol/uwsgi/client_codec.hpp"
#include "tests/bench/doubling/cases.hpp"
#include "tests/support/fastcgi_records.hpp"

namespace viaduct::bench {

namespace {

using protocol::ClientCodec;
using protocol::ClientEvent;
using protocol::Errc;

constexpr std::size_t kWhole = std::string_view::npos / 2;
constexpr unsigned kStdout = 6;
constexpr unsigned kStderr = 7;
constexpr unsigned kResult = 10;
constexpr unsigned kTrace = protocol::fastcgi::kTrace;

using Make = std::function<std::string(std::size_t)>;

struct Seen {
  std::size_t output = 0;  // bytes
  std::size_t errors = 0;  // bytes
  std::size_t ended = 0;
  std::size_t values = 0;
  std::size_t credits = 0;
  std::size_t traces = 0;
};

void note(const ClientEvent& event, Seen& seen) {
  using Kind = ClientEvent::Kind;
  if (event.kind == Kind::output) seen.output += event.bytes.size();
  if (event.kind == Kind::errors) seen.errors += event.bytes.size();
  if (event.kind == Kind::end) ++seen.ended;
  if (event.kind == Kind::values) ++seen.values;
  if (event.kind == Kind::credit) ++seen.credits;
  if (event.kind == Kind::trace) ++seen.traces;
}

Seen read(ClientCodec& codec, std::string_view bytes, std::size_t size) {
  Seen seen;
  in_pieces(bytes, size, [&](std::string_view piece) {
    while (!piece.empty()) {
      piece.remove_prefix(codec.feed(protocol::as_bytes(piece)));
      require(codec.memory() < kWhole);  // the bridge asks behind every read
      for (ClientEvent event = codec.next(); event.kind != ClientEvent::Kind::none;
           event = codec.next()) {
        note(event, seen);
      }
      require(codec.error() == Errc::ok);
    }
  });
  return seen;
}

// A connection on which flow control is in force.
std::unique_ptr<protocol::fastcgi::ClientCodec> agreed() {
  auto codec = std::make_unique<protocol::fastcgi::ClientCodec>();
  codec->get_values(protocol::fastcgi::kDefaultWindow);
  read(*codec, test::record(kResult, 0, test::pair("VIADUCT_WINDOW", "65536")), kWhole);
  return codec;
}

void add_fastcgi(std::vector<Case>& cases) {
  const auto worker = [&](const std::string& name, std::size_t least, const Make& make,
                          std::size_t Seen::*count) {
    for (const std::size_t piece : {kWhole, std::size_t{1}}) {
      cases.push_back({"fastcgi worker: " + name + (piece == 1 ? ", byte by byte" : ""), least,
                       [=](std::size_t size) {
                         const auto codec = agreed();
                         for (std::size_t i = 0; i < size; ++i) codec->get_values(std::nullopt);
                         require(read(*codec, make(size), piece).*count == size);
                       }});
    }
  };
  worker(
      "records of one byte of output", 2'000,
      [](std::size_t n) { return repeated(test::record(kStdout, 1, "x"), n); }, &Seen::output);
  worker(
      "a long output", 10'000,
      [](std::size_t n) {
        std::string bytes;
        for (std::size_t at = 0; at < n; at += 1000) {
          bytes += test::record(kStdout, 1, std::string(std::min<std::size_t>(1000, n - at), 'x'));
        }
        return bytes;
      },
      &Seen::output);
  worker(
      "records of one byte of errors", 2'000,
      [](std::size_t n) { return repeated(test::record(kStderr, 1, "\n"), n); }, &Seen::errors);
  worker(
      "ends", 2'000,
      [](std::size_t n) {
        std::string bytes;
        for (std::size_t i = 0; i < n; ++i) {
          bytes += test::end_record(static_cast<unsigned>(i % 65'535 + 1));
        }
        return bytes;
      },
      &Seen::ended);
  worker(
      "credits", 2'000, [](std::size_t n) { return repeated(test::credit_record(1, 1), n); },
      &Seen::credits);
  worker(
      "traces", 1'000,
      [](std::size_t n) { return repeated(test::record(kTrace, 1, std::string(100, 't')), n); },
      &Seen::traces);
  worker(
      "results", 500,
      [](std::size_t n) {
        return repeated(test::record(kResult, 0, test::pair("FCGI_MAX_REQS", "1")), n);
      },
      &Seen::values);
}

template <class Codec>
void add_plain(std::vector<Case>& cases, const std::string& name) {
  cases.push_back({name + " worker: output, byte by byte", 10'000, [](std::size_t size) {
                     Codec codec;
                     codec.begin(1, protocol::Role::responder, false);
                     require(read(codec, std::string(size, 'x'), 1).output == size);
                   }});
}

// The fields that a reader treats in a way of their own, each as often as it may stand.
void add_heads(std::vector<Case>& cases) {
  const auto head = [&](const std::string& name, std::size_t least, const Make& make) {
    for (const std::size_t piece : {kWhole, std::size_t{1}}) {
      cases.push_back(
          {"response head: " + name + (piece == 1 ? ", byte by byte" : ""), least,
           [=](std::size_t size) {
             daemon::bridge::ResponseFilter filter(daemon::bridge::ResponseFilter::Options{});
             in_pieces(make(size), piece,
                       [&](std::string_view part) { filter.feed(protocol::as_bytes(part)); });
             require(filter.has_head() && filter.error() == Errc::ok && !filter.names_file());
           }});
    }
  };
  for (const char* const field :
       {"Content-Length: 0", "Connection: close", "Transfer-Encoding: identity", "a(b: c",
        "Upgrade: x", "Content-Length: 0, 0, 0"}) {
    head(std::string("again and again ") + field, 500,
         [field](std::size_t n) { return repeated(std::string(field) + "\n", n) + "\n"; });
  }
  head("a Content-Type again behind many fields", 500, [](std::size_t n) {
    return repeated("X: v\n", n) + repeated("Content-Type: a/b\n", 16) + "\n";
  });
  head("a list of lengths", 5'000,
       [](std::size_t n) { return "Content-Length: 0" + repeated(",0", n) + "\n\n"; });
  head("a line of blanks", 10'000,
       [](std::size_t n) { return "X:" + std::string(n, ' ') + "v\n\n"; });
  head("a long reason", 10'000,
       [](std::size_t n) { return "Status: 200 " + std::string(n, ' ') + "OK\n\n"; });
  head("interim heads", 50, [](std::size_t n) {
    return repeated("HTTP/1.1 103 Early\n" + repeated("Link: a\n", n) + "\n", 16) +
           "Status: 200\n\n";
  });
}

void add_errors(std::vector<Case>& cases) {
  for (const char* const text : {"x", "\n", "\r", "\r\n", "line\n"}) {
    cases.push_back({"error stream of " + daemon::log::escape(text) + ", byte by byte", 10'000,
                     [text](std::size_t size) {
                       daemon::bridge::StderrLines lines;
                       std::size_t bytes = 0;
                       const auto sink = [&](std::string_view line) { bytes += line.size(); };
                       in_pieces(repeated(text, size), 1,
                                 [&](std::string_view piece) { lines.feed(piece, sink); });
                       lines.finish(sink);
                       require(bytes > 0 || *text == '\n' || *text == '\r');
                     }});
  }
}

}  // namespace

std::vector<Case> client_cases() {
  std::vector<Case> cases;
  add_fastcgi(cases);
  add_plain<protocol::scgi::ClientCodec>(cases, "scgi");
  add_plain<protocol::uwsgi::ClientCodec>(cases, "uwsgi");
  add_heads(cases);
  add_errors(cases);
  return cases;
}

}  // namespace viaduct::bench
