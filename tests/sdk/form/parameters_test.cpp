#include "sdk/src/form/parameters.hpp"

#include <string>

#include <gtest/gtest.h>

namespace viaduct::detail {
namespace {

std::string show(std::string_view text) {
  const auto parsed = parse_parameters(text);
  if (!parsed) return "malformed";
  std::string result = parsed->value;
  for (const auto& [name, value] : parsed->parameters) result += " " + name + "=<" + value + ">";
  return result;
}

TEST(ParametersTest, ReadsWhatClientsSend) {
  const struct {
    const char* text;
    const char* shown;
  } rows[] = {
      {"text/plain", "text/plain"},
      {"Multipart/Form-Data; Boundary=AbC", "multipart/form-data boundary=<AbC>"},
      {"multipart/form-data;boundary=\"a b\"", "multipart/form-data boundary=<a b>"},
      {" form-data ; name = \"a\" ;filename=b.txt ", "form-data name=<a> filename=<b.txt>"},
      {"form-data; name=\"a;b=c\"", "form-data name=<a;b=c>"},
      {"form-data; name=\"say \\\"hi\\\"\"", "form-data name=<say \"hi\">"},
      {"form-data; filename=\"C:\\dir\\new.txt\"", "form-data filename=<C:\\dir\\new.txt>"},
      {"form-data; filename=\"a\\\\b\"", "form-data filename=<a\\b>"},
      {"form-data; name=\"\"", "form-data name=<>"},
      {"form-data; name=", "form-data name=<>"},
      {"form-data; name=\"100%22\"", "form-data name=<100%22>"},
      {"form-data; filename=two words.txt; name=x", "form-data filename=<two words.txt> name=<x>"},
      {"multipart/form-data; boundary=a/b:c=d", "multipart/form-data boundary=<a/b:c=d>"},
      {"text/html;", "text/html"},
      {"text/html;; charset=utf-8;", "text/html charset=<utf-8>"},
      {"form-data; filename*=UTF-8''x", "form-data filename*=<UTF-8''x>"},
      {"form-data; name=\"\xC3\xA9\"", "form-data name=<\xC3\xA9>"},
  };
  for (const auto& row : rows) EXPECT_EQ(show(row.text), row.shown) << row.text;
}

TEST(ParametersTest, RefusesWhatCouldBeReadInTwoWays) {
  for (const char* text :
       {"", " ", "; name=a", "form-data; name", "form-data; =a", "form-data; na me=a",
        "form-data; name=\"a", "form-data; name=\"a\\\"", "form-data; name=\"a\\",
        "form-data; name=\"a\"b", "form-data; name=\"a\" name=b", "form-data; name=a\"b",
        "form-data; name=a; name=b", "form-data; name=a; NAME=b"}) {
    EXPECT_EQ(show(text), "malformed") << text;
  }
}

// Each is compared with those before it: a client is not to choose how often.
TEST(ParametersTest, MoreThan32AreRefused) {
  std::string text = "multipart/form-data";
  for (int i = 0; i < 32; ++i) text += "; p" + std::to_string(i) + "=v";
  EXPECT_TRUE(show(text).ends_with(" p31=<v>"));
  EXPECT_EQ(show(text + ";;"), show(text));
  EXPECT_EQ(show(text + "; p32=v"), "malformed");
}

TEST(ParametersTest, DecodesExtendedValues) {
  const struct {
    const char* text;
    std::optional<std::string> decoded;
  } rows[] = {
      {"UTF-8''na%C3%AFve.txt", "na\xC3\xAFve.txt"},
      {"utf-8'en'%e2%82%ac%20rates", "\xE2\x82\xAC rates"},
      {"ISO-8859-1'en'%A3%20rates", "\xC2\xA3 rates"},
      {"UTF-8''", ""},
      {"UTF-8''it's", "it's"},
      {"UTF-8'x", std::nullopt},
      {"plain", std::nullopt},
      {"", std::nullopt},
      {"''x", std::nullopt},
      {"koi8-r''x", std::nullopt},
      {"UTF-8''%4", std::nullopt},
      {"UTF-8''%zz", std::nullopt},
  };
  for (const auto& row : rows) EXPECT_EQ(decode_extended(row.text), row.decoded) << row.text;
}

}  // namespace
}  // namespace viaduct::detail
