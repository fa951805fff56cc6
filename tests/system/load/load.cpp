// A load generator that verifies every answer. Runs until SIGTERM or SIGINT, or for --seconds, goes
// on until it has made --least requests, or until it has begun --most of them; then lets those in
// flight finish, and prints one JSON object:
//
//   requests, failed, failures (the first 50, each "SECONDS KIND: text"), seconds,
//   p50_ms, p99_ms, max_ms
//
// A failure is anything but status 200 with exactly the expected body within --timeout.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <boost/json.hpp>
#include <openssl/evp.h>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Clock = std::chrono::steady_clock;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

struct Options {
  std::uint16_t port = 0;
  std::size_t concurrency = 64;
  std::string mix = "get";
  std::string target = "/hello";
  std::string expect = "hello\n";
  std::size_t post_bytes = 40000;
  double seconds = 0;
  std::size_t least = 1;
  std::size_t most = SIZE_MAX;
  double timeout = 30;
  bool close = false;
};

struct Exchange {
  http::verb method;
  std::string target;
  std::string body;
  std::string expected;
};

std::string digest_answer(const std::string& body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  EVP_Digest(body.data(), body.size(), sum.data(), &size, EVP_sha256(), nullptr);
  std::string out = std::to_string(body.size()) + ' ';
  for (unsigned i = 0; i < size; ++i) {
    out += "0123456789abcdef"[sum[i] >> 4];
    out += "0123456789abcdef"[sum[i] & 15];
  }
  return out + '\n';
}

/// The requests that are sent in turn.
std::vector<Exchange> make_exchanges(const Options& options) {
  std::vector<Exchange> out;
  constexpr std::size_t kVariety = 8;
  for (std::size_t i = 0; i < kVariety; ++i) {
    if (options.mix != "post") out.push_back({http::verb::get, options.target, {}, options.expect});
    if (options.mix == "get") continue;
    std::string body(options.post_bytes * (i + 1) / kVariety, '\0');
    for (std::size_t at = 0; at < body.size(); ++at) body[at] = static_cast<char>(at * 7 + i);
    auto expected = digest_answer(body);
    out.push_back({http::verb::post, "/digest", std::move(body), std::move(expected)});
  }
  return out;
}

class Tally {
 public:
  void good(Clock::duration took) { times_.push_back(took); }
  void bad(std::string_view kind, std::string_view text) {
    ++failed_;
    if (failures_.size() >= 50) return;
    std::array<char, 32> at{};
    std::snprintf(at.data(), at.size(), "%.3f ", elapsed());
    failures_.emplace_back(std::string(at.data()) + std::string(kind) + ": " + std::string(text));
  }
  [[nodiscard]] double elapsed() const {
    return std::chrono::duration<double>(Clock::now() - begin_).count();
  }
  [[nodiscard]] std::size_t requests() const { return times_.size() + failed_; }
  boost::json::object report() {
    std::sort(times_.begin(), times_.end());
    const auto at = [this](double share) {
      if (times_.empty()) return 0.0;
      const auto index = static_cast<std::size_t>(share * static_cast<double>(times_.size() - 1));
      return std::chrono::duration<double, std::milli>(times_[index]).count();
    };
    return {{"requests", requests()},
            {"failed", failed_},
            {"failures", boost::json::value_from(failures_)},
            {"seconds", elapsed()},
            {"p50_ms", at(0.5)},
            {"p99_ms", at(0.99)},
            {"max_ms", at(1)}};
  }

 private:
  Clock::time_point begin_ = Clock::now();
  std::vector<Clock::duration> times_;
  std::vector<std::string> failures_;
  std::size_t failed_ = 0;
};

struct Run {
  Options options;
  std::vector<Exchange> exchanges;
  Tally tally;
  std::size_t next = 0;
  bool stopping = false;
  std::size_t clients = 0;

  [[nodiscard]] bool done() const {
    return next >= options.most || (stopping && tally.requests() >= options.least);
  }
};

/// One request and its answer; true when the connection may be used again.
asio::awaitable<bool> exchange(Run& run, std::optional<beast::tcp_stream>& stream,
                               const Exchange& what) {
  const auto begin = Clock::now();
  const auto limit = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(run.options.timeout));
  if (!stream) {
    stream.emplace(co_await asio::this_coro::executor);
    stream->expires_after(limit);
    const Tcp::endpoint front(asio::ip::address_v4::loopback(), run.options.port);
    const auto [error] = co_await stream->async_connect(front, kToken);
    if (error) {
      run.tally.bad("connect", error.message());
      co_return false;
    }
  }
  stream->expires_after(limit);
  http::request<http::string_body> request(what.method, what.target, 11);
  request.set(http::field::host, "viaduct.test");
  request.keep_alive(!run.options.close);
  request.body() = what.body;
  request.prepare_payload();
  const auto [write_error, written] = co_await http::async_write(*stream, request, kToken);
  // A failed write may still have an answer to read: an early refusal.
  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  const auto [error, read] = co_await http::async_read(*stream, buffer, response, kToken);
  if (error) {
    run.tally.bad(error == beast::error::timeout ? "hung" : "broken",
                  write_error ? write_error.message() : error.message());
    co_return false;
  }
  if (response.result_int() != 200) {
    run.tally.bad("status", std::to_string(response.result_int()) + ' ' +
                                std::string(http::to_string(what.method)) + ' ' + what.target);
  } else if (response.body() != what.expected) {
    run.tally.bad("body", std::to_string(response.body().size()) + " bytes, expected " +
                              std::to_string(what.expected.size()));
  } else {
    run.tally.good(Clock::now() - begin);
  }
  co_return response.keep_alive() && !run.options.close;
}

/// Calls `finished` when it is the last one.
asio::awaitable<void> client(Run& run, std::function<void()> finished) {
  std::optional<beast::tcp_stream> stream;
  ++run.clients;
  while (!run.done()) {
    const auto& what = run.exchanges[run.next++ % run.exchanges.size()];
    if (!co_await exchange(run, stream, what)) stream.reset();
  }
  if (--run.clients == 0) finished();
}

Options parse(int argc, char** argv) {
  Options options;
  CLI::App cli("Verified load through one front server on 127.0.0.1");
  cli.add_option("--port", options.port)->required();
  cli.add_option("--concurrency", options.concurrency)->check(CLI::Range(1, 10000));
  cli.add_option("--mix", options.mix)->check(CLI::IsMember({"get", "post", "both"}));
  cli.add_option("--target", options.target, "of GET requests");
  cli.add_option("--expect", options.expect, "the body that answers a GET");
  cli.add_option("--post-bytes", options.post_bytes, "the largest body");
  cli.add_option("--seconds", options.seconds, "0: until a signal");
  cli.add_option("--least", options.least, "requests, however long they take");
  cli.add_option("--most", options.most, "requests");
  cli.add_option("--timeout", options.timeout, "seconds for one request");
  cli.add_flag("--close", options.close, "one connection per request");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(cli.exit(error));
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  Run run;
  run.options = parse(argc, argv);
  run.exchanges = make_exchanges(run.options);

  asio::io_context loop(1);
  asio::signal_set signals(loop, SIGTERM, SIGINT);
  asio::steady_timer timer(loop);
  const auto stop = [&](error_code error = {}, auto...) {
    if (error) return;
    run.stopping = true;
    signals.cancel();
    timer.cancel();
  };
  signals.async_wait(stop);
  if (run.options.seconds > 0) {
    timer.expires_after(std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(run.options.seconds)));
    timer.async_wait(stop);
  }
  for (std::size_t i = 0; i < run.options.concurrency; ++i) {
    asio::co_spawn(loop, client(run, stop), asio::detached);
  }
  loop.run();
  std::cout << boost::json::serialize(run.tally.report()) << std::endl;
  return 0;
}
