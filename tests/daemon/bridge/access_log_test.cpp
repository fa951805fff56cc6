#include "daemon/bridge/access_log.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

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
  UniqueFd writer() const { return UniqueFd(::fcntl(ends_[1], F_DUPFD_CLOEXEC, 0)); }
  std::string read() const {
    std::string text;
    std::vector<char> chunk(1024 * 1024);
    for (ssize_t size = 0; (size = ::read(ends_[0], chunk.data(), chunk.size())) > 0;) {
      text.append(chunk.data(), static_cast<std::size_t>(size));
    }
    return text;
  }
  static std::size_t count_lines(std::string_view text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  std::size_t lines() const { return count_lines(read()); }

  const log::Log log_{{.level = log::Level::error}};
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
    AccessLog log(reactor_, log_, config::LogFormat::json, row.sample);
    EXPECT_FALSE(log.enabled());
    log.write_to(writer());
    EXPECT_TRUE(log.enabled());
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
    AccessLog log(reactor_, log_, config::LogFormat::json, 1.0);
    log.write_to(UniqueFd(sockets[1]));
    EXPECT_TRUE(log.enabled());
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
  EXPECT_LE(::recv(sockets[0], chunk.data(), chunk.size(), 0), 0);
  ::close(sockets[0]);
}

// JSON leaves DEL and C1 as they are. Lines in files are escaped by the master.
TEST_F(AccessLogFile, WhatCommandsATerminalIsEscapedOnTheWayToSyslogAndTheJournal) {
  auto params = request();
  params.set("HTTP_USER_AGENT", "a\x7f\xc2\x9b\xc3\xa4\x1b");
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    std::array<int, 2> sockets{};
    ASSERT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets.data()), 0);
    const UniqueFd reader(sockets[0]);
    AccessLog log(reactor_, log_, config::LogFormat::json, 1.0);
    log.write_to(UniqueFd(sockets[1]));
    log.write(entry(params));
    log.flush();
    std::array<char, 4096> chunk;
    const ssize_t size = ::recv(reader.get(), chunk.data(), chunk.size(), 0);
    ASSERT_GT(size, 0);
    const std::string_view line(chunk.data(), static_cast<std::size_t>(size));
    EXPECT_NE(line.find("\"a\\u007f\\u009b\xc3\xa4\\u001b\""), std::string_view::npos) << line;
  }
  {
    AccessLog log(reactor_, log_, config::LogFormat::json, 1.0);
    log.write_to(writer());
    log.write(entry(params));
  }
  EXPECT_NE(read().find("\"a\x7f\xc2\x9b\xc3\xa4\\u001b\""), std::string::npos);
}

// A pipe that nobody reads for a while: what it does not take follows, up to the limit.
TEST_F(AccessLogFile, WhatWaitsIsLimitedAndWhatIsLostIsSaid) {
  std::array<int, 2> said{};
  ASSERT_EQ(::pipe2(said.data(), O_CLOEXEC | O_NONBLOCK), 0);
  const log::Log complaints({.descriptor = said[1]});
  const auto params = request();
  const std::size_t line = format_access(entry(params), config::LogFormat::text, kTime).size() + 1;
  AccessLog log(reactor_, complaints, config::LogFormat::text, 1.0);
  log.write_to(writer());
  const std::string full(static_cast<std::size_t>(::fcntl(ends_[1], F_GETPIPE_SZ)), 'f');
  ASSERT_EQ(::write(ends_[1], full.data(), full.size()), static_cast<ssize_t>(full.size()));
  const std::size_t room = AccessLog::kMostWaiting / line;
  for (std::size_t i = 0; i < room; ++i) log.write(entry(params));
  log.flush();
  EXPECT_TRUE(log.tick());
  std::array<char, 1024> complaint;
  EXPECT_LE(::read(said[0], complaint.data(), complaint.size()), 0);
  for (int i = 0; i < 3; ++i) log.write(entry(params));
  log.flush();
  EXPECT_TRUE(log.tick());
  const ssize_t size = ::read(said[0], complaint.data(), complaint.size());
  ASSERT_GT(size, 0);
  const std::string_view text(complaint.data(), static_cast<std::size_t>(size));
  EXPECT_NE(text.find("access log lines lost"), std::string_view::npos) << text;
  EXPECT_NE(text.find("lines=3"), std::string_view::npos) << text;
  std::string written = read();
  while (log.tick()) written += read();
  written += read();
  EXPECT_EQ(count_lines(written), room);
  EXPECT_EQ(written.size(), full.size() + room * line);
  ::close(said[0]);
}

TEST_F(AccessLogFile, WhatWaitsIsWrittenAtTheEnd) {
  const auto params = request();
  {
    AccessLog log(reactor_, log_, config::LogFormat::text, 1.0);
    log.write_to(writer());
    log.write(entry(params));
  }
  EXPECT_EQ(lines(), 1u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
