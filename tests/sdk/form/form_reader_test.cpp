#include "sdk/src/form/form_reader.hpp"

#include <string>

#include <gmock/gmock.h>

#include "tests/sdk/form/scripted_body.hpp"
#include "tests/sdk/support/form_body.hpp"
#include "tests/sdk/support/temporary_directory.hpp"

namespace viaduct::test {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr std::string_view kUrlencoded = "application/x-www-form-urlencoded";

class FormReaderTest : public ::testing::Test {
 protected:
  FormReaderTest() { limits.directory = spool.path(); }

  std::unique_ptr<detail::SpooledForm> read(const std::string& body, std::string_view type) {
    ScriptedBody source(body, 10);
    return detail::read_form(source, type, limits);
  }
  int status(const std::string& body, std::string_view type) {
    return status_of([&] { (void)read(body, type); });
  }

  TemporaryDirectory spool;
  FormLimits limits;
};

TEST_F(FormReaderTest, FilesLiveAsLongAsTheForm) {
  auto form = read(FormBody().file("f", "a.txt", "one").field("v", "1").file("f", "b", "two").end(),
                   FormBody::kType);
  EXPECT_THAT(form->form.values.items(), ElementsAre(Pair("v", "1")));
  ASSERT_EQ(form->form.files.size(), 2U);
  EXPECT_EQ(content_of(form->form.files[0].path), "one");
  EXPECT_EQ(content_of(form->form.files[1].path), "two");
  EXPECT_EQ(form->form.upload("f"), form->form.files.data());
  EXPECT_EQ(spool.files().size(), 2U);
  form.reset();
  EXPECT_TRUE(spool.files().empty());
}

TEST_F(FormReaderTest, InputsLeftEmptyAreNoFiles) {
  const auto form = read(FormBody()
                             .file("left empty", "", "")
                             .file("no name", "", "content")
                             .file("only a path", "dir/", "")
                             .end(),
                         FormBody::kType);
  ASSERT_EQ(form->form.files.size(), 2U);
  EXPECT_EQ(form->form.files[0].name, "no name");
  EXPECT_EQ(form->form.files[1].name, "only a path");
  EXPECT_EQ(form->form.files[1].filename, "");
}

TEST_F(FormReaderTest, NothingStaysOfABodyThatBreaksOff) {
  const std::string body =
      FormBody().file("f", "f", "one").file("g", "g", std::string(200, 'x')).end();
  for (std::size_t size = 0; size <= body.size(); ++size) {
    ScriptedBody source(body.substr(0, size), 50);
    source.break_off();
    EXPECT_THROW((void)detail::read_form(source, FormBody::kType, limits), client_gone);
    EXPECT_TRUE(spool.files().empty()) << size;
  }
}

TEST_F(FormReaderTest, NothingStaysBeyondALimit) {
  limits.file = 10;
  const auto body = FormBody().file("f", "f", "one").file("g", "g", std::string(11, 'x')).end();
  EXPECT_EQ(status(body, FormBody::kType), 413);
  EXPECT_TRUE(spool.files().empty());
}

TEST_F(FormReaderTest, FieldsTouchNoDisk) {
  limits.directory = "/nowhere";
  EXPECT_EQ(status(FormBody().field("a", "1").end(), FormBody::kType), 0);
  EXPECT_EQ(status("a=1", kUrlencoded), 0);
  EXPECT_THROW((void)read(FormBody().file("f", "f", "x").end(), FormBody::kType),
               std::filesystem::filesystem_error);
}

TEST_F(FormReaderTest, LimitsOfAUrlencodedForm) {
  limits.total = 20;
  limits.field = 5;
  limits.parts = 3;
  EXPECT_EQ(status("a=12345&b=123456789", kUrlencoded), 413);
  EXPECT_EQ(status("a=12345&b=12345&cd=1", kUrlencoded), 0);
  EXPECT_EQ(status("a=12345&b=12345&cd=12", kUrlencoded), 413);
  EXPECT_EQ(status("a=1234", kUrlencoded), 0);
  EXPECT_EQ(status("a=123456", kUrlencoded), 413);
  EXPECT_EQ(status("a&b&c", kUrlencoded), 0);
  EXPECT_EQ(status("a&b&c&d", kUrlencoded), 413);
  ScriptedBody announced("a=1");
  announced.announce(21);
  EXPECT_EQ(status_of([&] { (void)detail::read_form(announced, kUrlencoded, limits); }), 413);
  EXPECT_EQ(announced.taken(), 0U);
}

TEST_F(FormReaderTest, AThousandFieldsUnlessTold) {
  const auto pairs = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "a=1&";
    return text;
  };
  const auto parts = [](int count) {
    FormBody body;
    for (int i = 0; i < count; ++i) body.field("a", "1");
    return body.end();
  };
  for (const int count : {257, 999, 1000}) {
    EXPECT_EQ(status(pairs(count), kUrlencoded), 0) << count;
    EXPECT_EQ(status(parts(count), FormBody::kType), 0) << count;
  }
  EXPECT_EQ(status(pairs(1001), kUrlencoded), 413);
  EXPECT_EQ(status(parts(1001), FormBody::kType), 413);
}

TEST_F(FormReaderTest, TellsTooManyFromTooLarge) {
  limits.total = 20;
  limits.field = 5;
  limits.parts = 3;
  const struct {
    const char* body;
    const char* text;
  } rows[] = {
      {"a&b&c&d", "the form has more than 3 fields"},
      {"a=123456", "a field of the form is larger than 5 bytes"},
      {"123456=a", "a field of the form is larger than 5 bytes"},
      {"a=12345&b=12345&cd=12", "the form is larger than 20 bytes"},
  };
  for (const auto& row : rows) {
    try {
      (void)read(row.body, kUrlencoded);
      ADD_FAILURE() << row.body;
    } catch (const http_error& error) {
      EXPECT_EQ(error.status, 413);
      EXPECT_STREQ(error.what(), row.text);
    }
  }
}

TEST_F(FormReaderTest, OnlyTheTwoMediaTypesOfForms) {
  const struct {
    const char* type;
    int status;
  } rows[] = {
      {"application/x-www-form-urlencoded", 0},
      {"Application/X-WWW-Form-Urlencoded ; charset=utf-8", 0},
      {"", 415},
      {"text/plain", 415},
      {"application/json", 415},
      {"multipart/mixed; boundary=b", 415},
      {"application/x-www-form-urlencoded-not", 415},
      {"; charset=utf-8", 400},
      {"text/plain; charset", 400},
  };
  for (const auto& row : rows) EXPECT_EQ(status("a=1", row.type), row.status) << row.type;
}

TEST_F(FormReaderTest, BoundariesAsTheStandardHasThem) {
  const auto with = [&](const std::string& boundary) {
    return status("--" + boundary + "--", "multipart/form-data; boundary=\"" + boundary + '"');
  };
  EXPECT_EQ(with("b"), 0);
  EXPECT_EQ(with("'()+_,-./:=? b"), 0);
  EXPECT_EQ(with(std::string(69, 'b')), 0);
  EXPECT_EQ(with(std::string(70, 'b')), 0);
  EXPECT_EQ(with(std::string(71, 'b')), 400);
  EXPECT_EQ(with(""), 400);
  EXPECT_EQ(with("b "), 400);
  EXPECT_EQ(with("b\r"), 400);
  EXPECT_EQ(status("--b--", "multipart/form-data"), 400);
  EXPECT_EQ(status("--b--", "multipart/form-data; boundary=b; boundary=b"), 400);
}

}  // namespace
}  // namespace viaduct::test
