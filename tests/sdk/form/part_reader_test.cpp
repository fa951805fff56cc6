#include "sdk/src/form/part_reader.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "tests/sdk/form/scripted_body.hpp"
#include "tests/sdk/support/form_body.hpp"

namespace viaduct::test {
namespace {

using detail::PartReader;

constexpr std::string_view kBoundary = "cut-here";

std::string content(PartReader& reader) {
  std::string text;
  for (auto piece = reader.piece(); !piece.empty(); piece = reader.piece()) text += piece;
  return text;
}

// Every part as name=content, read to the end.
std::string read_all(ScriptedBody body, const FormLimits& limits = {}) {
  PartReader reader(body, kBoundary, limits);
  std::string text;
  while (const auto part = reader.next()) {
    text += part->disposition.name + '=' + content(reader) + ';';
  }
  return text;
}

int status(const ScriptedBody& body, const FormLimits& limits = {}) {
  return status_of([&] { (void)read_all(body, limits); });
}

TEST(PartReaderTest, ReadsTheSameInPiecesOfAnySize) {
  const std::string body =
      FormBody().field("a", "1").file("f", "f", "\r\n--cut-her").field("b", "").end();
  for (std::size_t step = 1; step <= body.size(); ++step) {
    EXPECT_EQ(read_all(ScriptedBody(body, step)), "a=1;f=\r\n--cut-her;b=;") << step;
  }
}

TEST(PartReaderTest, WhatIsLeftOfAPartIsSkipped) {
  ScriptedBody body(FormBody().field("a", "12345").field("b", "67").end(), 7);
  PartReader reader(body, kBoundary, {});
  EXPECT_EQ(reader.next()->disposition.name, "a");
  std::array<char, 2> two;
  EXPECT_EQ(reader.read(std::as_writable_bytes(std::span(two))), 2U);
  EXPECT_EQ(std::string_view(two.data(), 2), "12");
  EXPECT_EQ(reader.next()->disposition.name, "b");
  EXPECT_EQ(content(reader), "67");
  EXPECT_EQ(reader.read(std::as_writable_bytes(std::span(two))), 0U);
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.read(std::as_writable_bytes(std::span(two))), 0U);
}

TEST(PartReaderTest, TheWholeBodyIsMeasured) {
  const std::string body = FormBody().field("a", "1").end() + "epilogue";
  const auto with = [&](std::uint64_t total) {
    FormLimits limits;
    limits.total = total;
    return status(ScriptedBody(body, 5), limits);
  };
  EXPECT_EQ(with(body.size() + 1), 0);
  EXPECT_EQ(with(body.size()), 0);
  EXPECT_EQ(with(body.size() - 1), 413);
}

TEST(PartReaderTest, AnAnnouncedBodyBeyondTheTotalIsNotRead) {
  const std::string body = FormBody().field("a", "1").end();
  FormLimits limits;
  limits.total = body.size();
  ScriptedBody fits(body);
  fits.announce(body.size());
  EXPECT_EQ(status(fits, limits), 0);
  ScriptedBody larger(body);
  larger.announce(body.size() + 1);
  EXPECT_EQ(status_of([&] { PartReader(larger, kBoundary, limits); }), 413);
  EXPECT_EQ(larger.taken(), 0U);
}

TEST(PartReaderTest, FilesAndFieldsAreMeasured) {
  FormLimits limits;
  limits.file = 100;
  limits.field = 10;
  const auto file = [&](std::size_t size) {
    return status(ScriptedBody(FormBody().file("f", "f", std::string(size, 'x')).end(), 9), limits);
  };
  const auto field = [&](std::size_t size) {
    const std::string value(size, 'x');
    return status(ScriptedBody(FormBody().field("a", value).field("b", value).end(), 9), limits);
  };
  EXPECT_EQ(file(99), 0);
  EXPECT_EQ(file(100), 0);
  EXPECT_EQ(file(101), 413);
  EXPECT_EQ(field(9), 0);
  EXPECT_EQ(field(10), 0);
  EXPECT_EQ(field(11), 413);
}

TEST(PartReaderTest, PartsThatAreSkippedAreMeasuredToo) {
  FormLimits limits;
  limits.file = 10;
  ScriptedBody body(FormBody().file("f", "f", std::string(11, 'x')).field("a", "1").end());
  PartReader reader(body, kBoundary, limits);
  EXPECT_TRUE(reader.next());
  EXPECT_EQ(status_of([&] { (void)reader.next(); }), 413);
}

TEST(PartReaderTest, PartsAreCounted) {
  FormLimits limits;
  limits.parts = 2;
  EXPECT_EQ(status(ScriptedBody(FormBody().field("a", "").end()), limits), 0);
  EXPECT_EQ(status(ScriptedBody(FormBody().field("a", "").file("b", "b", "").end()), limits), 0);
  EXPECT_EQ(
      status(ScriptedBody(FormBody().field("a", "").field("b", "").field("c", "").end()), limits),
      413);
}

TEST(PartReaderTest, MalformedBodiesAre400) {
  const struct {
    const char* what;
    std::string body;
  } rows[] = {
      {"empty", ""},
      {"no closing delimiter", FormBody().field("a", "1").unfinished()},
      {"another boundary", "--other\r\n\r\n--other--"},
      {"no header", "--cut-here\r\n\r\nx\r\n--cut-here--"},
      {"an attachment", FormBody().part("attachment; name=a", {}, "x").end()},
      {"header without colon", "--cut-here\r\nx\r\n\r\nx\r\n--cut-here--"},
  };
  for (const auto& row : rows) EXPECT_EQ(status(ScriptedBody(row.body)), 400) << row.what;
}

TEST(PartReaderTest, PartsWithoutANameAreSkipped) {
  ScriptedBody body(FormBody()
                        .part("form-data", {}, "skipped")
                        .field("a", "1")
                        .part("form-data; filename=x", {}, std::string(100, 'x'))
                        .field("", "2")
                        .part("form-data", {}, "")
                        .end(),
                    7);
  PartReader reader(body, kBoundary, {});
  auto part = reader.next();
  ASSERT_TRUE(part);
  EXPECT_EQ(part->disposition.name, "a");
  EXPECT_EQ(content(reader), "1");
  part = reader.next();
  ASSERT_TRUE(part);
  EXPECT_EQ(part->disposition.name, "");
  EXPECT_EQ(content(reader), "2");
  EXPECT_FALSE(reader.next());
}

TEST(PartReaderTest, PartsWithoutANameCountAndAreMeasured) {
  FormLimits limits;
  limits.parts = 1;
  limits.field = 10;
  const auto nameless = [](std::size_t size) {
    return FormBody().part("form-data", {}, std::string(size, 'x'));
  };
  EXPECT_EQ(status(ScriptedBody(nameless(10).end()), limits), 0);
  EXPECT_EQ(status(ScriptedBody(nameless(11).end()), limits), 413);
  EXPECT_EQ(status(ScriptedBody(nameless(1).field("a", "1").end()), limits), 413);
}

TEST(PartReaderTest, ErrorsNamePartAndCause) {
  FormLimits limits;
  limits.parts = 3;
  limits.field = 10;
  limits.file = 10;
  const std::string long_text(11, 'x');
  const struct {
    std::string body;
    const char* text;
  } rows[] = {
      {"", "multipart body: no closing boundary"},
      {FormBody().field("a", "1").unfinished(), "multipart body, part 1: no closing boundary"},
      {FormBody().field("a", "1").part("inline", {}, "x").end(),
       "multipart body, part 2: a Content-Disposition other than form-data"},
      {"--cut-here\r\nX: y\r\n\r\nx\r\n--cut-here--",
       "multipart body, part 1: no Content-Disposition"},
      {"--cut-here\r\nx\r\n\r\nx\r\n--cut-here--", "multipart body, part 1: malformed header line"},
      {FormBody().field("a", "1").field("b", long_text).end(),
       "multipart body, part 2: a field is larger than 10 bytes"},
      {FormBody().file("f", "f", long_text).end(),
       "multipart body, part 1: a file is larger than 10 bytes"},
      {FormBody().field("a", "").field("b", "").field("c", "").field("d", "").end(),
       "the form has more than 3 fields and files"},
  };
  for (const auto& row : rows) {
    ScriptedBody body(row.body, 10);
    PartReader reader(body, kBoundary, limits);
    try {
      while (reader.next()) content(reader);
      ADD_FAILURE() << row.text;
    } catch (const http_error& error) {
      EXPECT_STREQ(error.what(), row.text);
    }
  }
}

TEST(PartReaderTest, AHeaderThatIsTooLargeIs413) {
  const std::string name(16 * 1024, 'n');
  EXPECT_EQ(status(ScriptedBody(FormBody().field(name, "").end())), 413);
}

TEST(PartReaderTest, ErrorsStay) {
  FormLimits limits;
  limits.file = 10;
  const struct {
    const char* what;
    std::string body;
    int status;
  } rows[] = {
      {"no field", FormBody().part("inline", {}, "x").field("a", "1").end(), 400},
      {"malformed", "--cut-here\r\nx\r\n" + FormBody().field("a", "1").end(), 400},
      {"unfinished", FormBody().unfinished(), 400},
      {"large", FormBody().file("f", "f", std::string(99, 'x')).field("a", "1").end(), 413},
  };
  for (const auto& row : rows) {
    ScriptedBody body(row.body, 10);
    PartReader reader(body, kBoundary, limits);
    const auto read = [&] {
      while (reader.next()) content(reader);
    };
    for (int again = 0; again < 3; ++again) EXPECT_EQ(status_of(read), row.status) << row.what;
  }
}

TEST(PartReaderTest, ABodyThatBreaksOffIsNotComplete) {
  const std::string body = FormBody().field("a", "1").end();
  for (std::size_t size = 0; size <= body.size(); ++size) {
    ScriptedBody broken(body.substr(0, size));
    broken.break_off();
    EXPECT_THROW((void)read_all(broken), client_gone) << size;
  }
}

}  // namespace
}  // namespace viaduct::test
