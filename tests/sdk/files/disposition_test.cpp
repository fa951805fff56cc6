#include "sdk/src/files/disposition.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace viaduct::detail {
namespace {

using namespace std::string_literals;

TEST(Disposition, NamesAreSafeWhateverTheyHold) {
  const std::pair<std::string, const char*> cases[] = {
      {"report.pdf", "attachment; filename=\"report.pdf\""},
      {"my report.pdf", "attachment; filename=\"my report.pdf\""},
      {"\xE2\x82\xAC rates.txt",
       "attachment; filename=\"___ rates.txt\"; filename*=UTF-8''%E2%82%AC%20rates.txt"},
      {"a\"b.txt", "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"},
      {"100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"},
      {"../../etc/passwd", "attachment; filename=\".._.._etc_passwd\""},
      {"C:\\x", "attachment; filename=\"C:_x\""},
      {"a\r\nSet-Cookie: x", "attachment; filename=\"a__Set-Cookie: x\""},
      {"a\0b\x7f"s, "attachment; filename=\"a_b_\""},
      {"\xFF.txt", "attachment; filename=\"_.txt\""},
      {"\xC0\xAF", "attachment; filename=\"__\""},
      {"\xED\xA0\x80", "attachment; filename=\"___\""},
      {"\xE2\x82", "attachment; filename=\"__\""},
  };
  for (const auto& [name, field] : cases) EXPECT_EQ(attachment(name), field);
}

}  // namespace
}  // namespace viaduct::detail
