// Clients of HTTP that send requests without reading the answers.
#include <poll.h>

#include <atomic>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

constexpr std::size_t kBytes = std::size_t{2} * 1024 * 1024;  // of requests
constexpr std::size_t kAnswer = 1000;
// Far more than the buffers of both sockets and what the engine holds.
constexpr int kMostBegun = 4096;

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + word.size())) {
    ++found;
  }
  return found;
}

/// Sends many requests, and reads nothing until it is told to.
class Pipeliner {
 public:
  Pipeliner(const Serving& serving, const std::string& request) : socket_(io_) {
    std::string address = serving.address();
    address.replace(0, 6, 1, '\0');  // unix:@
    socket_.connect(boost::asio::local::stream_protocol::endpoint(address));
    socket_.non_blocking(true);
    while (requests_.size() < kBytes) requests_ += request;
    requests_ += "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  }

  /// Writes until the server takes no more. Returns whether something is left to be written.
  bool fill() {
    while (write()) {
      if (!ready(POLLOUT, kStalled)) return true;
    }
    return false;
  }
  /// Writes the rest while it reads until the connection ends.
  std::string finish() {
    std::string answers;
    std::string buffer(65536, '\0');
    for (;;) {
      const bool more = write();
      if (!ready(static_cast<short>(more ? POLLIN | POLLOUT : POLLIN), kPatience)) break;
      boost::system::error_code error;
      answers.append(buffer, 0, socket_.read_some(boost::asio::buffer(buffer), error));
      if (error && error != boost::asio::error::would_block) break;
    }
    return answers;
  }

 private:
  static constexpr int kStalled = 500;     // milliseconds
  static constexpr int kPatience = 20000;  // likewise

  // Whether there is more to write.
  bool write() {
    boost::system::error_code error;
    const auto rest = std::string_view(requests_).substr(written_);
    if (!rest.empty()) written_ += socket_.write_some(boost::asio::buffer(rest), error);
    return written_ < requests_.size();
  }
  bool ready(short events, int milliseconds) {
    pollfd waiting{.fd = socket_.native_handle(), .events = events, .revents = 0};
    return ::poll(&waiting, 1, milliseconds) > 0;
  }

  boost::asio::io_context io_;
  boost::asio::local::stream_protocol::socket socket_;
  std::string requests_;
  std::size_t written_ = 0;
};

class PipeliningTest : public ModelTest {
 protected:
  [[nodiscard]] std::unique_ptr<Serving> serve_http() {
    app.get("/last", [](Request&, Response& res) { res.send("last"); });
    return std::make_unique<Serving>(app, detail::ServerOptions{.model = GetParam()},
                                     detail::Listener::Protocol::http);
  }
};

INSTANTIATE_TEST_SUITE_P(Models, PipeliningTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(PipeliningTest, HandlersWaitUntilTheirClientReads) {
  std::atomic<int> begun = 0;
  app.get("/", [&](Request&, Response& res) {
    ++begun;
    res.send(std::string(kAnswer, '#'));
  });
  const auto serving = serve_http();
  const std::string request =
      "GET / HTTP/1.1\r\nHost: h\r\nX-Padding: " + std::string(60, 'p') + "\r\n\r\n";
  Pipeliner client(*serving, request);
  EXPECT_TRUE(client.fill()) << "everything was taken, and nothing read";
  EXPECT_LT(begun, kMostBegun);
  const std::string answers = client.finish();
  const std::size_t requests = (kBytes + request.size() - 1) / request.size();
  EXPECT_EQ(begun, static_cast<int>(requests));
  EXPECT_EQ(count(answers, "HTTP/1.1 200 OK\r\n"), requests + 1);
  EXPECT_EQ(count(answers, "#"), requests * kAnswer);
  EXPECT_TRUE(answers.ends_with("\r\n\r\nlast"));
}

TEST_P(PipeliningTest, RequestsThatNeedNoHandlerWaitAsWell) {
  const auto serving = serve_http();
  const std::string request = "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n";
  Pipeliner client(*serving, request);
  EXPECT_TRUE(client.fill()) << "everything was taken, and nothing read";
  const std::string answers = client.finish();
  EXPECT_EQ(count(answers, "HTTP/1.1 204 No Content\r\n"),
            (kBytes + request.size() - 1) / request.size());
  EXPECT_TRUE(answers.ends_with("\r\n\r\nlast"));
}

}  // namespace
}  // namespace viaduct::test
