#include "sdk/src/events/event_format.hpp"

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace viaduct::detail {
namespace {

using namespace std::string_view_literals;

TEST(EventFormat, EveryLineOfDataIsAField) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "data: \n\n"},
      {"one", "data: one\n\n"},
      {" padded", "data:  padded\n\n"},
      {"one\ntwo", "data: one\ndata: two\n\n"},
      {"one\r\ntwo", "data: one\ndata: two\n\n"},
      {"one\rtwo", "data: one\ndata: two\n\n"},
      {"one\n\rtwo", "data: one\ndata: \ndata: two\n\n"},
      {"one\n", "data: one\ndata: \n\n"},
      {"one\r\n", "data: one\ndata: \n\n"},
      {"\n", "data: \ndata: \n\n"},
      {"id: 7\n\nevent: x", "data: id: 7\ndata: \ndata: event: x\n\n"},
  };
  for (const auto& [data, text] : cases) EXPECT_EQ(format_event(data, {}, {}), text) << data;
}

TEST(EventFormat, TypeAndIdComeFirst) {
  EXPECT_EQ(format_event("x", "tick", "42"), "event: tick\nid: 42\ndata: x\n\n");
  EXPECT_EQ(format_event("x", "tick", ""), "event: tick\ndata: x\n\n");
}

TEST(EventFormat, LineEndsInTypeAndIdAreRefused) {
  for (const auto text : {"a\nb"sv, "a\rb"sv, "\r\n"sv}) {
    EXPECT_THROW((void)format_event("x", text, {}), std::invalid_argument);
    EXPECT_THROW((void)format_event("x", {}, text), std::invalid_argument);
  }
  EXPECT_THROW((void)format_event("x", {}, "a\0b"sv), std::invalid_argument);
}

}  // namespace
}  // namespace viaduct::detail
