// Bodies over HTTP that cannot be read on.
#include <string>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpBodyTest : public ModelTest {
 protected:
  // What comes back until the connection ends. With `then`, that is sent behind the word "begun".
  static std::string send(const Serving& serving, std::string_view chunks,
                          std::string_view then = {}) {
    return converse(
        serving,
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunks),
        "begun", then);
  }
  // The same for any bytes. With `then`, that is sent behind `until`, and can be.
  static std::string converse(const Serving& serving, const std::string& request,
                              std::string_view until = {}, std::string_view then = {}) {
    std::string address = serving.address();
    address.replace(0, 6, 1, '\0');  // unix:@
    boost::asio::io_context io;
    boost::asio::local::stream_protocol::socket socket(io);
    socket.connect(boost::asio::local::stream_protocol::endpoint(address));
    boost::asio::write(socket, boost::asio::buffer(request));
    std::string text;
    boost::system::error_code end;
    if (!then.empty()) {
      boost::asio::read_until(socket, boost::asio::dynamic_buffer(text), until, end);
      boost::asio::write(socket, boost::asio::buffer(then));
    }
    boost::asio::read(socket, boost::asio::dynamic_buffer(text), end);
    EXPECT_EQ(end, boost::asio::error::eof);
    return text;
  }
  [[nodiscard]] std::unique_ptr<Serving> serve_http() const {
    return std::make_unique<Serving>(app, detail::ServerOptions{.model = GetParam()},
                                     detail::Listener::Protocol::http);
  }
};

INSTANTIATE_TEST_SUITE_P(Models, HttpBodyTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(HttpBodyTest, AMalformedChunkIs400AndLogged) {
  app.post("/", [](Request& req, Response& res) { res.send(req.body().text(100)); });
  std::size_t count = 0;
  const auto serving = serve_http();
  for (const char* const chunks :
       {"zz\r\n", "3\r\nabcX", "3\nabc", "3\r\nabc\r\n-1\r\n", "0\r\n\r\r", "\r\n",
        "11111111111111111\r\n", "3\r\nabc\r\n0\r\nno field\r\n\r\n"}) {
    EXPECT_THAT(send(*serving, chunks),
                AllOf(StartsWith("HTTP/1.1 400 Bad Request\r\n"),
                      HasSubstr("\r\nConnection: close\r\n"), HasSubstr("\r\n\r\nBad Request\n")))
        << chunks;
    ASSERT_EQ(lines(++count).size(), count) << chunks;
    EXPECT_THAT(lines().back(), EndsWith("] request refused: chunked coding is malformed"));
  }
}

// OPTIONS about the server as a whole, whose body nobody reads: it is answered, the connection goes
// on or ends gently, and nothing in the body is a request.
TEST_P(HttpBodyTest, OptionsOfTheServerLeaveNothingBehind) {
  app.get("/behind", [](Request&, Response& res) { res.send("behind"); });
  app.get("/inside", [](Request&, Response& res) { res.send("inside"); });
  const auto serving = serve_http();
  const std::string inside = "GET /inside HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string last = "GET /behind HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  const std::string options = "OPTIONS * HTTP/1.1\r\nHost: h\r\n";
  for (const std::string& request :
       {options + "\r\n", std::string("OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n"),
        options + "Content-Length: " + std::to_string(inside.size()) + "\r\n\r\n" + inside}) {
    EXPECT_THAT(converse(*serving, request + last),
                AllOf(StartsWith("HTTP/1.1 204 No Content\r\n"), HasSubstr("HTTP/1.1 200 OK\r\n"),
                      EndsWith("\r\n\r\nbehind")))
        << request;
  }
  const auto closes =
      AllOf(StartsWith("HTTP/1.1 204 No Content\r\n"), HasSubstr("\r\nConnection: close\r\n"),
            EndsWith("\r\n\r\n"), Not(HasSubstr("HTTP/1.1 200")));
  for (const std::string& body :
       {"Content-Length: 1000000\r\n\r\n" + inside,
        std::string("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        std::string("Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")}) {
    EXPECT_THAT(converse(*serving, options + body, "\r\n\r\n", inside), closes) << body;
  }
  EXPECT_THAT(converse(*serving, options + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inside),
              closes);
}

TEST_P(HttpBodyTest, AMalformedChunkBreaksAnAnswerThatHasBegun) {
  app.post("/", [](Request& req, Response& res) {
    res.write("begun");
    res.flush();
    res.write(req.body().text(100));
  });
  const auto serving = serve_http();
  EXPECT_THAT(send(*serving, "3\r\nabc", "X"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("begun"),
                    Not(HasSubstr("\r\n0\r\n\r\n"))));
  EXPECT_THAT(lines(1), ElementsAre(EndsWith("] request refused: chunked coding is malformed")));
}

}  // namespace
}  // namespace viaduct::test
