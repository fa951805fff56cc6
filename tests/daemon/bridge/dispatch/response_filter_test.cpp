#include "daemon/bridge/dispatch/response_filter.hpp"

#include <string>

#include <gtest/gtest.h>

namespace viaduct::daemon::bridge {
namespace {

// Feeds `text` cut at `split`; returns the body that is let through.
std::string pass(ResponseFilter& filter, std::string_view text, std::size_t split) {
  std::string body;
  for (const std::string_view part : {text.substr(0, split), text.substr(split)}) {
    const auto rest = filter.feed(protocol::as_bytes(part));
    if (filter.has_head()) body += protocol::as_text(filter.admit(rest));
  }
  return body;
}

struct Row {
  const char* name;
  bool head_request;
  const char* response;
  int status;
  const char* body;
  bool complete;
};

class ResponseFilterRows : public ::testing::TestWithParam<Row> {};

INSTANTIATE_TEST_SUITE_P(
    Responses, ResponseFilterRows,
    ::testing::Values(
        Row{"Plain", false, "Status: 200 OK\r\nA: b\r\n\r\nbody", 200, "body", true},
        Row{"NoStatus", false, "Content-Type: text/plain\r\n\r\nbody", 200, "body", true},
        Row{"BareLf", false, "Status: 404 Not Found\n\nbody", 404, "body", true},
        Row{"LengthEqual", false, "Content-Length: 4\r\n\r\nbody", 200, "body", true},
        Row{"LengthShorter", false, "Content-Length: 3\r\n\r\nbody", 200, "bod", true},
        Row{"LengthLonger", false, "Content-Length: 5\r\n\r\nbody", 200, "body", false},
        Row{"LengthZero", false, "Content-Length: 0\r\n\r\nbody", 200, "", true},
        Row{"EmptyBody", false, "A: b\r\n\r\n", 200, "", true},
        Row{"Head", true, "Content-Length: 4\r\n\r\nbody", 200, "", true},
        Row{"HeadWithoutLength", true, "A: b\r\n\r\nbody", 200, "", true},
        Row{"NoContent", false, "Status: 204\r\n\r\nbody", 204, "", true},
        Row{"NotModified", false, "Status: 304\r\nContent-Length: 9\r\n\r\n", 304, "", true},
        Row{"Redirect", false, "Location: https://e/\r\n\r\n", 302, "", true},
        Row{"Interim", false, "Status: 103\r\nLink: x\r\n\r\nStatus: 404\r\n\r\nno", 404, "no",
            true},
        Row{"StatusLine", false, "HTTP/1.1 404 Not Found\r\nA: b\r\n\r\nx", 404, "x", true}),
    [](const auto& test) { return test.param.name; });

TEST_P(ResponseFilterRows, SplitAnywhere) {
  const Row& row = GetParam();
  const std::string_view text = row.response;
  for (std::size_t split = 0; split <= text.size(); ++split) {
    ResponseFilter filter({.head_request = row.head_request});
    const std::string body = pass(filter, text, split);
    ASSERT_EQ(filter.error(), protocol::Errc::ok) << split;
    ASSERT_TRUE(filter.has_head()) << split;
    EXPECT_EQ(filter.head().status, row.status) << split;
    EXPECT_EQ(body, row.body) << split;
    EXPECT_EQ(filter.admitted(), body.size()) << split;
    EXPECT_EQ(filter.complete(), row.complete) << split;
  }
}

TEST(ResponseFilter, HeadIsCompleteWithItsBodyAndWithout) {
  const std::string_view head = "Content-Length: 4\r\n\r\n";
  for (const std::string_view body : {"", "bo", "body", "body and more"}) {
    ResponseFilter filter({.head_request = true, .pass_head_body = true});
    EXPECT_EQ(pass(filter, std::string(head) + std::string(body), 5), body.substr(0, 4));
    EXPECT_TRUE(filter.complete()) << body;
  }
}

TEST(ResponseFilter, StatusesWithoutABodyHaveNoneForHeadEither) {
  for (const char* const status : {"204", "205", "304"}) {
    ResponseFilter filter({.head_request = true, .pass_head_body = true});
    EXPECT_EQ(pass(filter, "Status: " + std::string(status) + "\r\n\r\nbody", 9), "");
    EXPECT_TRUE(filter.complete());
  }
}

TEST(ResponseFilter, SaysThatAFileIsNamed) {
  for (const char* const field :
       {"X-Accel-Redirect", "x-sendfile", "X-Sendfile2", "X-LIGHTTPD-send-file",
        "X-Sendfile-Temporary", "x-reproxy-url"}) {
    ResponseFilter filter;
    filter.feed(protocol::as_bytes(std::string(field) + ": /srv/secret\r\n\r\n"));
    EXPECT_TRUE(filter.names_file()) << field;
  }
  ResponseFilter filter;
  filter.feed(protocol::as_bytes("X-Accel-Buffering: no\r\nX-Send: /a\r\n\r\n"));
  EXPECT_FALSE(filter.names_file());
}

TEST(ResponseFilter, FallsShortWhereTheHeadAnnouncedMore) {
  ResponseFilter filter;
  EXPECT_FALSE(filter.falls_short());
  filter.feed(protocol::as_bytes("Content-Length: 4\r\n\r\n"));
  EXPECT_TRUE(filter.falls_short());
  filter.admit(protocol::as_bytes("body"));
  EXPECT_FALSE(filter.falls_short());
  filter.reset({});
  filter.feed(protocol::as_bytes("A: b\r\n\r\n"));
  EXPECT_FALSE(filter.falls_short());
}

TEST(ResponseFilter, LacksWhatAClientWasNotGiven) {
  struct Given {
    ResponseFilter::Options options;
    const char* head;
    std::uint64_t given;
    bool lacks;
  };
  const Given rows[] = {
      {{}, "Content-Length: 4\r\n\r\n", 3, true},
      {{}, "Content-Length: 4\r\n\r\n", 4, false},
      {{}, "A: b\r\n\r\n", 0, false},
      {{}, "Status: 304\r\nContent-Length: 4\r\n\r\n", 0, false},
      {{}, "Content-Length: 4\r\n", 0, false},
      {{.head_request = true}, "Content-Length: 4\r\n\r\n", 0, false},
      {{.head_request = true, .pass_head_body = true}, "Content-Length: 4\r\n\r\n", 1, false},
  };
  for (const Given& row : rows) {
    ResponseFilter filter(row.options);
    const auto rest = filter.feed(protocol::as_bytes(row.head));
    EXPECT_TRUE(rest.empty());
    // All of it came, whatever was passed on.
    if (filter.has_head()) filter.admit(protocol::as_bytes("body"));
    EXPECT_EQ(filter.lacks(row.given), row.lacks) << row.head << row.given;
    EXPECT_FALSE(filter.falls_short());
  }
}

TEST(ResponseFilter, ResponsesToHeadAreDelimited) {
  for (const bool pass_body : {false, true}) {
    ResponseFilter filter({.head_request = true, .pass_head_body = pass_body});
    EXPECT_FALSE(filter.delimited()) << "no head";
    filter.feed(protocol::as_bytes("A: b\r\n\r\n"));
    EXPECT_TRUE(filter.delimited());
  }
  ResponseFilter filter;
  filter.feed(protocol::as_bytes("A: b\r\n\r\n"));
  EXPECT_FALSE(filter.delimited());
}

TEST(ResponseFilter, BadHeadIsAnError) {
  for (const char* const text :
       {"no colon\r\n\r\n", "Status: 20\r\n\r\n", "A: b\r\nStatus: 200\r\nStatus: 201\r\n\r\n",
        "Transfer-Encoding: gzip\r\n\r\n", "A : b\r\n\r\n"}) {
    ResponseFilter filter;
    filter.feed(protocol::as_bytes(text));
    EXPECT_NE(filter.error(), protocol::Errc::ok) << text;
  }
}

TEST(ResponseFilter, StrictRulesHoldForEveryResponse) {
  ResponseFilter filter({.rules = protocol::HeadRules::strict});
  for (int i = 0; i < 2; ++i) {
    filter.feed(protocol::as_bytes("Transfer-Encoding: chunked\r\n\r\n"));
    EXPECT_EQ(filter.error(), protocol::Errc::forbidden_field);
    filter.restart();
  }
  filter.reset({});
  filter.feed(protocol::as_bytes("Transfer-Encoding: chunked\r\n\r\n"));
  EXPECT_EQ(filter.error(), protocol::Errc::ok);
  EXPECT_EQ(filter.mend(), protocol::Mend::transfer_encoding);
  EXPECT_EQ(filter.mended_line(), "Transfer-Encoding: chunked");
}

TEST(ResponseFilter, SwitchesWhereItMayAndThenPassesEverything) {
  const std::string_view text =
      "Status: 101\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nmore than three";
  ResponseFilter refused;
  refused.feed(protocol::as_bytes(text));
  EXPECT_EQ(refused.error(), protocol::Errc::unwanted_upgrade);
  ResponseFilter filter({.may_upgrade = true});
  EXPECT_EQ(pass(filter, text, 10), "more than three");
  EXPECT_EQ(filter.error(), protocol::Errc::ok);
  EXPECT_TRUE(filter.switches());
  EXPECT_EQ(filter.head().fields.get("Upgrade"), "websocket");
  EXPECT_FALSE(filter.head().fields.get("Content-Length"));
}

TEST(ResponseFilter, RestartForgetsHalfAHead) {
  ResponseFilter filter;
  EXPECT_FALSE(filter.switches());
  filter.feed(protocol::as_bytes("Status: 500\r\nX-Half: he"));
  EXPECT_FALSE(filter.has_head());
  filter.restart();
  EXPECT_EQ(pass(filter, "Status: 200\r\n\r\nok", 3), "ok");
  EXPECT_EQ(filter.head().status, 200);
  EXPECT_FALSE(filter.head().fields.get("X-Half"));
}

TEST(ResponseFilter, LengthIsCountedOverManyPieces) {
  ResponseFilter filter;
  filter.feed(protocol::as_bytes("Content-Length: 100\r\n\r\n"));
  std::size_t admitted = 0;
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(filter.complete(), admitted == 100);
    admitted += filter.admit(protocol::as_bytes("seven b")).size();
  }
  EXPECT_EQ(admitted, 100u);
}

}  // namespace
}  // namespace viaduct::daemon::bridge
