#include "sdk/src/form/disposition.hpp"

#include <string>

#include <gtest/gtest.h>

namespace viaduct::detail {
namespace {

std::optional<Disposition> read(std::string_view value) {
  Fields headers;
  headers.add("Content-Disposition", value);
  return read_disposition(headers);
}

TEST(FormDispositionTest, FieldsHaveNoFileName) {
  const auto field = read("form-data; name=\"a\"");
  ASSERT_TRUE(field);
  EXPECT_EQ(field->name, "a");
  EXPECT_FALSE(field->is_file);
  EXPECT_EQ(field->type, "text/plain");
}

TEST(FormDispositionTest, FileNamesNeverBecomePaths) {
  const struct {
    const char* sent;
    const char* cleaned;
  } rows[] = {
      {"photo.jpg", "photo.jpg"},
      {"/etc/passwd", "passwd"},
      {"../../etc/passwd", "passwd"},
      {"C:\\Users\\me\\photo.jpg", "photo.jpg"},
      {"..\\..\\boot.ini", "boot.ini"},
      {"dir/..\\x", "x"},
      {"dir/", ""},
      {".", ""},
      {"..", ""},
      {"a/..", ""},
      {"...", "..."},
      {".profile", ".profile"},
      {"two words", "two words"},
      {"", ""},
  };
  for (const auto& row : rows) {
    const auto file = read("form-data; name=f; filename=\"" + std::string(row.sent) + "\"");
    ASSERT_TRUE(file) << row.sent;
    EXPECT_TRUE(file->is_file) << row.sent;
    EXPECT_EQ(file->filename, row.cleaned) << row.sent;
    EXPECT_EQ(file->filename_was_empty, *row.sent == '\0') << row.sent;
  }
}

TEST(FormDispositionTest, ControlCharactersGo) {
  EXPECT_EQ(clean_filename(std::string("a\0b\r\n\tc\x7f", 8)), "abc");
  EXPECT_EQ(clean_filename(std::string("\0..\n", 4)), "");
  EXPECT_EQ(read("form-data; name=f; filename*=UTF-8''x%00%2f..%2fy%0a")->filename, "y");
}

TEST(FormDispositionTest, ExtendedFileNameGoesFirst) {
  EXPECT_EQ(read("form-data; name=f; filename=plain; filename*=UTF-8''%C3%A9")->filename,
            "\xC3\xA9");
  EXPECT_EQ(read("form-data; name=f; filename*=UTF-8''%C3%A9; filename=plain")->filename,
            "\xC3\xA9");
  EXPECT_EQ(read("form-data; name=f; filename=plain; filename*=koi8-r''x")->filename, "plain");
  EXPECT_FALSE(read("form-data; name=f; filename*=koi8-r''x"));
}

TEST(FormDispositionTest, RefusesWhatIsNoFieldOfAForm) {
  for (const char* value : {"", "attachment; name=a", "form-data", "form-data; filename=x",
                            "form-data; name=a; name=b", "form-data; name=\"a"}) {
    EXPECT_FALSE(read(value)) << value;
  }
  EXPECT_FALSE(read_disposition({}));
  Fields twice;
  twice.add("Content-Disposition", "form-data; name=a");
  twice.add("Content-Disposition", "form-data; name=b");
  EXPECT_FALSE(read_disposition(twice));
}

TEST(FormDispositionTest, OnlyEncodingsThatChangeNothing) {
  for (const char* encoding : {"7bit", "8BIT", "binary"}) {
    Fields headers;
    headers.add("Content-Disposition", "form-data; name=a");
    headers.add("Content-Transfer-Encoding", encoding);
    EXPECT_TRUE(read_disposition(headers)) << encoding;
  }
  for (const char* encoding : {"base64", "quoted-printable", ""}) {
    Fields headers;
    headers.add("Content-Disposition", "form-data; name=a");
    headers.add("Content-Transfer-Encoding", encoding);
    EXPECT_FALSE(read_disposition(headers)) << encoding;
  }
}

}  // namespace
}  // namespace viaduct::detail
