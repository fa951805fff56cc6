#include "daemon/bridge/front/refusal.hpp"

#include <string>

#include <gtest/gtest.h>

#include "protocol/scgi/codec.hpp"
#include "tests/daemon/bridge/wire_text.hpp"

namespace viaduct::daemon::bridge {
namespace {

using protocol::Errc;

protocol::Pairs params(std::initializer_list<protocol::Pairs::Item> items) {
  protocol::Pairs pairs;
  for (const auto& [name, value] : items) pairs.add(name, value);
  return pairs;
}

std::string text_of(const protocol::Pairs& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    text += std::string(name) + "=" + std::string(value) + ";";
  }
  return text;
}

TEST(Refusal, AnswersWithACompleteResponse) {
  protocol::scgi::ServerCodec codec(protocol::Limits{});
  const std::string bytes(
      "24:CONTENT_LENGTH\0"
      "0\0SCGI\0"
      "1\0,",
      28);
  for (auto rest = protocol::as_bytes(bytes); !rest.empty();) {
    rest = rest.subspan(codec.feed(rest));
    while (codec.next().kind != protocol::Event::Kind::none) {
    }
  }
  ASSERT_EQ(codec.error(), Errc::ok);
  answer(codec, 1, 404);
  EXPECT_TRUE(codec.closing());
  const std::string text = testing::take_text(codec.output());
  EXPECT_TRUE(text.starts_with("Status: 404 Not Found\r\n")) << text;
  EXPECT_TRUE(text.ends_with("\r\n\r\n404 Not Found\n")) << text;
  EXPECT_NE(text.find("Content-Length: 14\r\n"), std::string::npos) << text;
}

TEST(Delivery, IsSaidByTheListenerAlone) {
  for (const char* const sent : {"", "off", "x-sendfile"}) {
    auto variables = params({{"A", "b"}, {"VIADUCT_SEND_FILE", sent}});
    tell_delivery(true, true, variables);
    EXPECT_EQ(text_of(variables), "A=b;") << sent;
    tell_delivery(false, true, variables);
    EXPECT_EQ(text_of(variables), "A=b;VIADUCT_SEND_FILE=off;") << sent;
  }
}

TEST(Overrides, ViaductVariablesAreDroppedUnlessTrusted) {
  const auto sent = params({{"VIADUCT_DEADLINE_MS", "1"},
                            {"A", "b"},
                            {"VIADUCT_", ""},
                            {"VIADUCT_APP", "x"},
                            {"HTTP_VIADUCT_APP", "kept"},
                            {"viaduct_app", "kept"}});
  auto untrusted = sent;
  apply_overrides({}, false, untrusted);
  EXPECT_EQ(text_of(untrusted), "A=b;HTTP_VIADUCT_APP=kept;viaduct_app=kept;");
  auto trusted = sent;
  apply_overrides({}, true, trusted);
  EXPECT_EQ(text_of(trusted), text_of(sent));
}

TEST(Overrides, SetReplaceAndDrop) {
  auto pairs = params({{"HTTPS", "off"}, {"HTTP_X_SECRET", "s"}, {"A", "b"}});
  apply_overrides({{"HTTPS", "on"},
                   {"NEW", ""},
                   {"HTTP_X_SECRET", std::nullopt},
                   {"MISSING", std::nullopt},
                   {"VIADUCT_MINE", "kept"}},
                  false, pairs);
  EXPECT_EQ(text_of(pairs), "HTTPS=on;A=b;NEW=;VIADUCT_MINE=kept;");
}

}  // namespace
}  // namespace viaduct::daemon::bridge
