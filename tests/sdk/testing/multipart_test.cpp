#include <gtest/gtest.h>
#include <viaduct/testing.hpp>

namespace viaduct::testing {
namespace {

TEST(Multipart, FieldsAndFiles) {
  Multipart form;
  form.field("title", "milk").file("photo", "a \"b\".png", "\x01\r\n", "image/png");
  form.file("raw", "c", "", "");
  EXPECT_EQ(form.type(), "multipart/form-data; boundary=viaduct-boundary");
  EXPECT_EQ(form.body(),
            "--viaduct-boundary\r\n"
            "Content-Disposition: form-data; name=\"title\"\r\n"
            "\r\n"
            "milk\r\n"
            "--viaduct-boundary\r\n"
            "Content-Disposition: form-data; name=\"photo\"; filename=\"a %22b%22.png\"\r\n"
            "Content-Type: image/png\r\n"
            "\r\n"
            "\x01\r\n\r\n"
            "--viaduct-boundary\r\n"
            "Content-Disposition: form-data; name=\"raw\"; filename=\"c\"\r\n"
            "\r\n"
            "\r\n"
            "--viaduct-boundary--\r\n");
}

TEST(Multipart, BoundaryOccursInNoPart) {
  Multipart form;
  form.field("a", "--viaduct-boundary\r\nviaduct-boundary-0").field("viaduct-boundary-1", "x");
  EXPECT_EQ(form.type(), "multipart/form-data; boundary=viaduct-boundary-2");
}

TEST(Urlencoded, EscapesWhatAFormEscapes) {
  EXPECT_EQ(urlencoded({}), "");
  EXPECT_EQ(urlencoded({{"a b", "1+2&3=\xc3\xa4"}, {"c", "-._*~"}}),
            "a+b=1%2B2%263%3D%C3%A4&c=-._*%7E");
}

}  // namespace
}  // namespace viaduct::testing
