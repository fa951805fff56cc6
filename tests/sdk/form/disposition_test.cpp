#include "sdk/src/form/disposition.hpp"

#include <string>
#include <vector>

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

TEST(FormDispositionTest, SaysWhatIsNoPartOfAForm) {
  const struct {
    std::vector<std::string> values;
    PartFault fault;
  } rows[] = {
      {{}, PartFault::no_disposition},
      {{"form-data; name=a", "form-data; name=b"}, PartFault::two_dispositions},
      {{""}, PartFault::bad_disposition},
      {{"form-data; name=a; name=b"}, PartFault::bad_disposition},
      {{"form-data; name=\"a"}, PartFault::bad_disposition},
      {{"attachment; name=a"}, PartFault::not_form_data},
      {{"form-data; name=f; filename*=koi8-r''x"}, PartFault::unreadable_filename},
  };
  for (const auto& row : rows) {
    Fields headers;
    for (const std::string& value : row.values) headers.add("Content-Disposition", value);
    PartFault fault = PartFault::none;
    EXPECT_FALSE(read_disposition(headers, &fault));
    EXPECT_EQ(fault, row.fault) << describe(row.fault);
    EXPECT_FALSE(read_disposition(headers));
  }
}

TEST(FormDispositionTest, APartMayHaveNoName) {
  EXPECT_FALSE(read("form-data").value().named);
  EXPECT_FALSE(read("form-data; filename=x").value().named);
  EXPECT_TRUE(read("form-data; name=").value().named);
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
