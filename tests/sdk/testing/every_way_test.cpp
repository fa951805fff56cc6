// Sessions, forms, uploads and files are the same whichever way a request comes.

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <viaduct/session.hpp>
#include <viaduct/testing.hpp>
#include <viaduct/viaduct.hpp>

#include "tests/sdk/support/temporary_directory.hpp"
#include "tests/sdk/support/ways.hpp"

namespace viaduct::test {
namespace {

using testing::Client;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Multipart;
using testing::Reply;
using testing::urlencoded;

constexpr std::size_t kLarge = 700 * 1024;  // more than buffers and windows hold

// No two stretches of it are alike, and every byte occurs.
std::string bytes(std::size_t size) {
  std::string made(size, '\0');
  std::uint32_t state = 1;
  for (char& c : made) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return made;
}

class EveryWayTest : public ::testing::TestWithParam<Way> {
 protected:
  EveryWayTest() { app.model(GetParam().model); }

  Client& client() {
    if (!client_) client_ = std::make_unique<Client>(app, GetParam().via);
    return *client_;
  }
  Reply post_chunks(std::string_view target, std::string_view type, std::string_view body) {
    std::vector<std::string> chunks;
    for (std::size_t at = 0; at < body.size(); at += 7) chunks.emplace_back(body.substr(at, 7));
    client().header("Content-Type", type);
    return client().request("POST", target, chunks);
  }

  App app;
  TemporaryDirectory directory;

 private:
  std::unique_ptr<Client> client_;
};

class SessionEveryWayTest : public EveryWayTest {
 protected:
  SessionEveryWayTest() {
    app.use(sessions({.keys = {std::string(32, 'k')}}));
    app.post("/login", [](Request& req, Response& res) {
      session(req).set("user", req.body().text(100));
      res.redirect(req.url("/"));
    });
    app.post("/logout", [](Request& req, Response&) { session(req).clear(); });
    app.get("/", [](Request& req, Response& res) {
      res.send(std::string(session(req).get("user").value_or("nobody")));
    });
  }
};

INSTANTIATE_TEST_SUITE_P(Via, SessionEveryWayTest, ::testing::ValuesIn(kEveryWay), way_name);

TEST_P(SessionEveryWayTest, ASessionIsOneVisitorsUntilItIsCleared) {
  const std::string name = "ann; \xff \"x\"";
  EXPECT_EQ(client().get("/").body, "nobody");
  EXPECT_EQ(client().post("/login", name, "text/plain").status, 303);
  EXPECT_EQ(client().get("/").body, name);
  EXPECT_EQ(client().get("/").headers.get("Vary"), "Cookie");
  Client other(app, GetParam().via);
  EXPECT_EQ(other.get("/").body, "nobody");
  EXPECT_EQ(client().post("/logout", "").status, 200);
  EXPECT_EQ(client().cookie("__Host-session"), std::nullopt);
  EXPECT_EQ(client().get("/").body, "nobody");
}

// A sibling domain may set cookies for this one, without the prefix: it must not get in its own
// session by way of their values.
TEST_P(SessionEveryWayTest, NoOtherCookieBringsASession) {
  client().post("/login", "mallory", "text/plain");
  const std::string theirs = client().cookie("__Host-session").value_or("");
  client().clear_cookies();
  client().post("/login", "ann", "text/plain");
  const std::string own = client().cookie("__Host-session").value_or("");
  for (const char* const before : {"t=x,", "t=x, ", "t=\"x,", "t=", ","}) {
    const std::string tossed = before + std::string("__Host-session=") + theirs;
    client().header("Cookie", tossed + "; __Host-session=" + own);
    EXPECT_EQ(client().get("/").body, "ann") << before;
    client().header("Cookie", tossed);
    EXPECT_EQ(client().get("/").body, "nobody") << before;
    Fields apart;
    apart.add("Cookie", tossed).add("Cookie", "__Host-session=" + own);
    EXPECT_EQ(client().request("GET", "/", {}, apart).body, "ann") << before;
  }
}

TEST_P(SessionEveryWayTest, AForgedSessionIsEmpty) {
  client().post("/login", "ann", "text/plain");
  std::string cookie = client().cookie("__Host-session").value_or("");
  ASSERT_FALSE(cookie.empty());
  client().header("Cookie", "__Host-session=" + cookie);
  EXPECT_EQ(client().get("/").body, "ann");
  cookie[cookie.size() / 2] = cookie[cookie.size() / 2] == 'A' ? 'B' : 'A';
  client().header("Cookie", "__Host-session=" + cookie);
  EXPECT_EQ(client().get("/").body, "nobody");
}

class FormEveryWayTest : public EveryWayTest {
 protected:
  FormEveryWayTest() {
    app.post("/form", [this](Request& req, Response& res) {
      for (const auto& [name, value] : req.form(limits()).values.items()) {
        res.write(name + '=' + value + '\n');
      }
      for (const Upload& file : req.form().files) {
        res.write(file.name + ' ' + file.filename + ' ' + file.type + ' ');
        res.write(content_of(file.path));
      }
    });
    app.post("/save", [this](Request& req, Response& res) {
      const Form& form = req.form(limits());
      form.files.at(0).save(directory.path() / "saved");
      res.send(std::to_string(form.files.at(0).size));
    });
    app.post("/stream", [this](Request& req, Response& res) {
      while (auto part = req.next_part(limits())) {
        res.write(part->name + ' ' + part->filename + '\n');
        std::array<char, 1000> piece;
        while (const std::size_t got = part->body->read(std::span<char>(piece))) {
          res.write(std::string_view(piece.data(), got));
        }
      }
    });
  }
  [[nodiscard]] FormLimits limits() const {
    return {.total = 2 * kLarge,
            .file = kLarge,
            .field = 1000,
            .parts = 3,
            .directory = directory.path()};
  }
  // A response may end before its handler has returned, with which its files go.
  [[nodiscard]] std::vector<std::filesystem::path> files_left() {
    client() = Client(app, GetParam().via);  // the one before has waited for its handlers
    return directory.files();
  }
};

INSTANTIATE_TEST_SUITE_P(Via, FormEveryWayTest, ::testing::ValuesIn(kEveryWay), way_name);

TEST_P(FormEveryWayTest, UrlencodedFields) {
  const std::string body = urlencoded({{"a", "1 & 2"}, {"b", "\xc3\xa4=%"}, {"a", ""}});
  const std::string_view expected = "a=1 & 2\nb=\xc3\xa4=%\na=\n";
  EXPECT_EQ(client().post("/form", body).body, expected);
  EXPECT_EQ(post_chunks("/form", "application/x-www-form-urlencoded", body).body, expected);
}

TEST_P(FormEveryWayTest, UrlencodedFormsHaveLimits) {
  const auto status = [this](std::string_view body) { return client().post("/form", body).status; };
  EXPECT_EQ(status("a=" + std::string(1000, 'x')), 200);
  EXPECT_EQ(status("a=" + std::string(1001, 'x')), 413);
  EXPECT_EQ(status("a=1&b=2&c=3"), 200);
  EXPECT_EQ(status("a=1&b=2&c=3&d=4"), 413);
  EXPECT_EQ(client().post("/form", "a=1", "text/plain").status, 415);
}

TEST_P(FormEveryWayTest, MultipartFieldsAndFiles) {
  const std::string photo = bytes(kLarge);
  Multipart form;
  form.field("title", "the sea\r\n").file("photo", "sea \"1\".jpg", photo, "image/jpeg");
  const std::string expected = "title=the sea\r\n\nphoto sea %221%22.jpg image/jpeg " + photo;
  EXPECT_TRUE(client().post("/form", form).body == expected);
  EXPECT_TRUE(post_chunks("/form", form.type(), form.body()).body == expected);
  EXPECT_THAT(files_left(), IsEmpty());
}

TEST_P(FormEveryWayTest, MultipartFormsHaveLimits) {
  const auto send = [this](std::size_t size, int fields, std::string_view target) {
    Multipart form;
    for (int i = 0; i < fields; ++i) form.field("field", "value");
    form.file("file", "name", std::string(size, 'x'));
    return client().post(target, form).status;
  };
  EXPECT_EQ(send(kLarge, 2, "/form"), 200);
  EXPECT_EQ(send(kLarge + 1, 2, "/form"), 413);
  EXPECT_EQ(send(0, 3, "/form"), 413);
  EXPECT_EQ(send(2 * kLarge, 0, "/save"), 413);
  EXPECT_THAT(files_left(), IsEmpty());
}

TEST_P(FormEveryWayTest, MalformedMultipartFormsLeaveNothing) {
  Multipart form;
  form.file("file", "name", std::string(10000, 'x'));
  const std::string body = form.body();
  const std::string cut = body.substr(0, body.size() - 10);
  EXPECT_EQ(post_chunks("/form", form.type(), cut).status, 400);
  EXPECT_EQ(post_chunks("/form", "multipart/form-data", body).status, 400);
  EXPECT_THAT(files_left(), IsEmpty());
}

TEST_P(FormEveryWayTest, SavedUploadsStay) {
  const std::string photo = bytes(100'000);
  Multipart form;
  form.file("photo", "../../etc/passwd", photo);
  EXPECT_EQ(client().post("/save", form).body, "100000");
  EXPECT_THAT(files_left(), ElementsAre(directory.path() / "saved"));
  EXPECT_TRUE(content_of(directory.path() / "saved") == photo);
}

TEST_P(FormEveryWayTest, PartsAreStreamedBothWaysAtOnce) {
  const std::string photo = bytes(kLarge);
  Multipart form;
  form.field("title", "sea").file("photo", "sea.jpg", photo);
  const Reply reply = client().post("/stream", form);
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.body == "title \nsea" + ("photo sea.jpg\n" + photo));
  EXPECT_THAT(files_left(), IsEmpty());
}

class FileEveryWayTest : public EveryWayTest {
 protected:
  FileEveryWayTest() {
    directory.write("root/small.txt", "0123456789");
    directory.write("root/large.bin", large);
    directory.write("secret.txt", "secret");
    app.files("/static", directory.path() / "root");
    app.get("/report", [this](Request&, Response& res) {
      res.send_file(directory.path() / "root", "small.txt", "Report \xc3\xa4.txt");
    });
  }
  Reply get(std::string_view target, std::string_view name = {}, std::string_view value = {}) {
    Fields fields;
    if (!name.empty()) fields.add(name, value);
    return client().request("GET", target, {}, fields);
  }

  const std::string large = bytes(kLarge);
};

INSTANTIATE_TEST_SUITE_P(Via, FileEveryWayTest, ::testing::ValuesIn(kEveryWay), way_name);

TEST_P(FileEveryWayTest, FilesHaveTypeLengthAndContent) {
  const Reply small = get("/static/small.txt");
  EXPECT_EQ(small.status, 200);
  EXPECT_EQ(small.body, "0123456789");
  EXPECT_EQ(small.headers.get("Content-Length"), "10");
  EXPECT_THAT(std::string(small.headers.get("Content-Type").value_or("")), HasSubstr("text/plain"));
  EXPECT_TRUE(get("/static/large.bin").body == large);
  const Reply head = client().request("HEAD", "/static/large.bin");
  EXPECT_EQ(head.headers.get("Content-Length"), std::to_string(kLarge));
  EXPECT_EQ(head.body, "");
}

TEST_P(FileEveryWayTest, WhatTheClientHasIsNotSentAgain) {
  const std::string tag(get("/static/small.txt").headers.get("ETag").value_or(""));
  ASSERT_FALSE(tag.empty());
  const Reply same = get("/static/small.txt", "If-None-Match", tag);
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  EXPECT_EQ(get("/static/small.txt", "If-None-Match", "\"other\"").status, 200);
  EXPECT_EQ(get("/static/small.txt", "If-Match", "\"other\"").status, 412);
}

TEST_P(FileEveryWayTest, PartsOfFiles) {
  const Reply part = get("/static/small.txt", "Range", "bytes=2-4");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.headers.get("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(get("/static/small.txt", "Range", "bytes=-3").body, "789");
  EXPECT_TRUE(get("/static/large.bin", "Range", "bytes=1000-").body == large.substr(1000));
  const Reply beyond = get("/static/small.txt", "Range", "bytes=10-");
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.headers.get("Content-Range"), "bytes */10");
}

TEST_P(FileEveryWayTest, NothingOutsideTheRootExists) {
  for (const char* const target :
       {"/static/../secret.txt", "/static/%2e%2e/secret.txt", "/static/..%2fsecret.txt",
        "/static//etc/passwd", "/static/%2Fetc%2Fpasswd", "/static/", "/static/missing"}) {
    const Reply reply = get(target);
    EXPECT_EQ(reply.status, 404) << target;
    EXPECT_THAT(reply.body, ::testing::Not(HasSubstr("secret"))) << target;
  }
}

TEST_P(FileEveryWayTest, DownloadsHaveANameOfTheirOwn) {
  const Reply reply = get("/report");
  EXPECT_EQ(reply.body, "0123456789");
  EXPECT_THAT(std::string(reply.headers.get("Content-Disposition").value_or("")),
              HasSubstr("filename*=UTF-8''Report%20%C3%A4.txt"));
}

TEST_P(FileEveryWayTest, AClientThatLeavesTakesNoFileWithIt) {
  const Reply reply = client().disconnect_after(1000).get("/static/large.bin");
  EXPECT_TRUE(reply.aborted);
  EXPECT_TRUE(reply.body == large.substr(0, 1000));
  EXPECT_TRUE(get("/static/large.bin").body == large);
}

}  // namespace
}  // namespace viaduct::test
