#include "daemon/bridge/access_log.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

using std::chrono::milliseconds;

// 2026-03-04 05:06:07 UTC
const auto kTime = std::chrono::system_clock::from_time_t(1772600767);

protocol::Pairs request() {
  protocol::Pairs params;
  params.add("REMOTE_ADDR", "10.0.0.5");
  params.add("REQUEST_METHOD", "GET");
  params.add("HTTP_HOST", "example.org");
  params.add("REQUEST_URI", "/a?b=c");
  params.add("SERVER_PROTOCOL", "HTTP/1.1");
  params.add("HTTP_REFERER", "https://e/");
  params.add("HTTP_USER_AGENT", "curl/7.88");
  return params;
}

AccessEntry entry(const protocol::Pairs& params) {
  return {.app = "shop",
          .params = params,
          .status = 200,
          .body_bytes = 1234,
          .duration = milliseconds(1500),
          .attempts = 2};
}

TEST(AccessFormat, Combined) {
  const auto params = request();
  EXPECT_EQ(format_access(entry(params), config::LogFormat::text, kTime),
            "10.0.0.5 - - [04/Mar/2026:05:06:07 +0000] \"GET /a?b=c HTTP/1.1\" 200 1234 "
            "\"https://e/\" \"curl/7.88\" shop 1.500000");
}

TEST(AccessFormat, Json) {
  const auto params = request();
  const auto line =
      boost::json::parse(format_access(entry(params), config::LogFormat::json, kTime)).as_object();
  EXPECT_EQ(line.at("time"), "2026-03-04T05:06:07Z");
  EXPECT_EQ(line.at("app"), "shop");
  EXPECT_EQ(line.at("remote_addr"), "10.0.0.5");
  EXPECT_EQ(line.at("method"), "GET");
  EXPECT_EQ(line.at("host"), "example.org");
  EXPECT_EQ(line.at("uri"), "/a?b=c");
  EXPECT_EQ(line.at("protocol"), "HTTP/1.1");
  EXPECT_EQ(line.at("status"), 200);
  EXPECT_EQ(line.at("bytes"), 1234u);
  EXPECT_EQ(line.at("seconds"), 1.5);
  EXPECT_EQ(line.at("attempts"), 2u);
  EXPECT_EQ(line.at("referer"), "https://e/");
  EXPECT_EQ(line.at("user_agent"), "curl/7.88");
}

TEST(AccessFormat, HostileValuesStayWithinTheirLine) {
  for (const std::string_view bad :
       {std::string_view("\" 200 0 \"x"), std::string_view("a\nb"), std::string_view("\r\n"),
        std::string_view("\x1b[31m"), std::string_view("\xff\xfe"), std::string_view("back\\slash"),
        std::string_view("nul\0byte", 8)}) {
    auto params = request();
    params.set("HTTP_USER_AGENT", bad);
    params.set("REQUEST_URI", bad);
    const std::string text = format_access(entry(params), config::LogFormat::text, kTime);
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) {
      return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    })) << text;
    // Six quotes of the format; all others are escaped.
    std::size_t quotes = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '"') {
        ++quotes;
      }
    }
    EXPECT_EQ(quotes, 6u) << text;
    const std::string json = format_access(entry(params), config::LogFormat::json, kTime);
    EXPECT_EQ(json.find('\n'), std::string::npos);
    EXPECT_NO_THROW(boost::json::parse(json)) << json;
  }
}

TEST(AccessFormat, MissingValues) {
  const protocol::Pairs none;
  AccessEntry left = entry(none);
  left.status = 0;
  EXPECT_EQ(format_access(left, config::LogFormat::text, kTime),
            "- - - [04/Mar/2026:05:06:07 +0000] \"- - -\" 0 1234 \"-\" \"-\" shop 1.500000");
}

class AccessLogFile : public ::testing::Test {
 protected:
  AccessLogFile() { EXPECT_EQ(::pipe2(ends_.data(), O_NONBLOCK | O_CLOEXEC), 0); }
  ~AccessLogFile() override {
    for (const int end : ends_) ::close(end);
  }
  std::size_t lines() {
    std::array<char, 64 * 1024> chunk;
    const ssize_t size = ::read(ends_[0], chunk.data(), chunk.size());
    return size <= 0
               ? 0
               : static_cast<std::size_t>(std::count(chunk.data(), chunk.data() + size, '\n'));
  }
  Reactor reactor_{0};
  std::array<int, 2> ends_{};
};

TEST_F(AccessLogFile, SampleIsTheShareThatIsWritten) {
  struct Row {
    double sample;
    std::size_t lines;
  };
  const auto params = request();
  for (const Row& row : {Row{1.0, 100}, Row{0.5, 50}, Row{0.25, 25}, Row{0.1, 10}, Row{0.01, 1},
                         Row{0.3, 30}, Row{0.0, 0}}) {
    AccessLog log(reactor_, config::LogFormat::json, row.sample);
    log.redirect(ends_[1]);
    for (int i = 0; i < 100; ++i) log.write(entry(params));
    log.flush();
    EXPECT_EQ(lines(), row.lines) << row.sample;
  }
}

TEST_F(AccessLogFile, SyslogGetsEachLineByItself) {
  std::array<int, 2> sockets{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets.data()), 0);
  const auto params = request();
  {
    AccessLog log(reactor_, config::LogFormat::json, 1.0);
    log.redirect(sockets[1]);
    log.write(entry(params));
    log.write(entry(params));
    log.flush();
  }
  std::array<char, 4096> chunk;
  constexpr std::string_view kPrefix = "<30>viaductd: ";
  for (int i = 0; i < 2; ++i) {
    const ssize_t size = ::recv(sockets[0], chunk.data(), chunk.size(), 0);
    ASSERT_GT(size, 0) << i;
    const std::string_view line(chunk.data(), static_cast<std::size_t>(size));
    ASSERT_TRUE(line.starts_with(kPrefix)) << line;
    EXPECT_NO_THROW(boost::json::parse(line.substr(kPrefix.size()))) << line;
  }
  EXPECT_LT(::recv(sockets[0], chunk.data(), chunk.size(), 0), 0);
  for (const int socket : sockets) ::close(socket);
}

TEST_F(AccessLogFile, RedirectWritesWhatWaitsToThePreviousTarget) {
  const auto params = request();
  AccessLog log(reactor_, config::LogFormat::text, 1.0);
  EXPECT_FALSE(log.enabled());
  log.redirect(ends_[1]);
  EXPECT_TRUE(log.enabled());
  log.write(entry(params));
  log.redirect(-1);
  EXPECT_FALSE(log.enabled());
  EXPECT_EQ(lines(), 1u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
