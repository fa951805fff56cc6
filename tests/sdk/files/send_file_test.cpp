#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include <gmock/gmock.h>

#include "sdk/src/files/http_date.hpp"
#include "sdk/src/percent.hpp"
#include "tests/sdk/runtime/model_test.hpp"
#include "tests/sdk/support/temporary_directory.hpp"

namespace viaduct::test {
namespace {

using detail::FileDelivery;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kModified = "Sun, 06 Nov 1994 08:49:37 GMT";

class SendFileTest : public ModelTest {
 protected:
  SendFileTest() {
    write("ten.txt", "0123456789");
    app.files("/files", directory.path());
    app.get("/named", [this](Request&, Response& res) {
      res.send_file(directory.path(), "ten.txt", "\xE2\x82\xAC.txt");
    });
  }

  std::filesystem::path write(const char* name, std::string_view content) const {
    const auto path = directory.write(name, content);
    const timespec times[2] = {{784111777, 0}, {784111777, 0}};
    ::utimensat(AT_FDCWD, path.c_str(), times, 0);
    return path;
  }
  Peer::Reply ask(std::string_view method, std::string_view path, Peer::Variables more = {}) {
    std::string decoded;
    EXPECT_TRUE(detail::percent_decode(path, decoded));
    more.emplace_back("SCRIPT_NAME", decoded);
    peer->begin(1, method, path, more);
    peer->input_end(1);
    peer->wait_end(1);
    return peer->reply(1);
  }
  Peer::Reply get(std::string_view path, const Peer::Variables& more = {}) {
    return ask("GET", path, more);
  }
  void start() {
    serving = serve();
    peer = std::make_unique<Peer>(serving->address());
  }

  TemporaryDirectory directory;
  std::unique_ptr<Serving> serving;
  std::unique_ptr<Peer> peer;
};
INSTANTIATE_TEST_SUITE_P(Models, SendFileTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(SendFileTest, ASmallFileHasTypeLengthAndValidators) {
  start();
  const auto reply = get("/files/ten.txt");
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(reply.body(), "0123456789");
  for (const char* field :
       {"Content-Type: text/plain; charset=utf-8\r\n", "Content-Length: 10", "ETag: \"",
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "Accept-Ranges: bytes"}) {
    EXPECT_THAT(std::string(reply.head()), HasSubstr(field));
  }
}

TEST_P(SendFileTest, ARangeOfAnEmptyFileIsAllOfIt) {
  write("empty.txt", "");
  start();
  for (const char* const range : {"bytes=0-", "bytes=0-0", "bytes=-1", "bytes=7-9"}) {
    const auto reply = get("/files/empty.txt", {{"HTTP_RANGE", range}});
    EXPECT_EQ(reply.status(), 200) << range;
    EXPECT_THAT(std::string(reply.head()), HasSubstr("Content-Length: 0"));
    EXPECT_THAT(std::string(reply.head()), Not(HasSubstr("Content-Range")));
  }
}

TEST_P(SendFileTest, LastModifiedIsNotInTheFuture) {
  const auto path = write("future.txt", "x");
  const timespec times[2] = {{4102444800, 0}, {4102444800, 0}};  // in the year 2100
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  start();
  const std::time_t before = std::time(nullptr);
  const std::string head(get("/files/future.txt").head());
  const std::size_t at = head.find("Last-Modified: ");
  ASSERT_NE(at, std::string::npos);
  const auto modified = detail::parse_http_date(head.substr(at + 15, 29));
  ASSERT_TRUE(modified) << head;
  EXPECT_GE(*modified, before);
  EXPECT_LE(*modified, std::time(nullptr));
}

TEST_P(SendFileTest, LastModifiedIsNotLaterThanTheDateThatTheHandlerSets) {
  write("old.txt", "x");
  for (const char* const path : {"/older", "/newer"}) {
    const bool older = std::string_view(path) == "/older";
    app.get(path, [this, older](Request&, Response& res) {
      res.headers().set("Date",
                        older ? "Sun, 06 Nov 1994 08:49:36 GMT" : "Sun, 06 Nov 1994 08:49:38 GMT");
      res.send_file(directory.path() / "old.txt");
    });
  }
  start();
  EXPECT_THAT(std::string(get("/older").head()),
              HasSubstr("Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT\r\n"));
  EXPECT_THAT(std::string(get("/newer").head()),
              HasSubstr("Last-Modified: " + std::string(kModified) + "\r\n"));
}

TEST_P(SendFileTest, FilesThatBeginWithADotAreServedWhenAskedFor) {
  const struct {
    const char* path;
    bool hidden;
  } rows[] = {
      {".env", true},
      {".git/config", true},
      {"sub/.htpasswd", true},
      {"sub/.cache/x", true},
      {"..x", true},
      {".well-known/.secret", true},
      {".well-known", true},
      {"sub/.well-known/x", true},
      {".well-known/security.txt", false},
      {"a.b", false},
      {"sub/x.", false},
  };
  app.files("/all", directory.path(), DotFiles::served);
  app.get("/one/{file:path}", [this](Request& req, Response& res) {
    res.send_file(directory.path(), *req.arg("file"));
  });
  for (const auto& row : rows) {
    if (std::string_view(row.path) != ".well-known") directory.write(row.path, "content");
  }
  start();
  for (const auto& row : rows) {
    const std::string path = row.path;
    EXPECT_EQ(get("/files/" + path).status(), row.hidden ? 404 : 200) << path;
    EXPECT_EQ(get("/one/" + path).status(), row.hidden ? 404 : 200) << path;
    EXPECT_EQ(get("/all/" + path).status(), path == ".well-known" ? 404 : 200) << path;
  }
  EXPECT_EQ(get("/files/%2Eenv").status(), 404);
  EXPECT_EQ(get("/files/./.env").status(), 404);
  EXPECT_EQ(get("/files//.env").status(), 404);
}

TEST_P(SendFileTest, HeadHasTheSameFields) {
  start();
  const auto got = get("/files/ten.txt");
  const auto head = ask("HEAD", "/files/ten.txt", {{"HTTP_RANGE", "bytes=1-2"}});
  EXPECT_EQ(head.head(), got.head());
  EXPECT_EQ(head.body(), "");
}

TEST_P(SendFileTest, WhatIsNotAFileIsNotFound) {
  directory.write("sub/x", "x");
  ::mkfifo((directory.path() / "pipe").c_str(), 0600);
  std::filesystem::create_symlink("/etc/passwd", directory.path() / "link");
  start();
  for (const char* path : {"/files/missing", "/files/", "/files/sub", "/files/sub/", "/files/pipe",
                           "/files/link", "/files/%2e%2e/x", "/files/%2Fetc%2Fpasswd", "/files"}) {
    EXPECT_EQ(get(path).status(), 404) << path;
  }
  EXPECT_EQ(ask("POST", "/files/ten.txt").status(), 405);
}

TEST_P(SendFileTest, WhatTheProcessMayNotReadIsForbidden) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  std::filesystem::permissions(directory.path() / "ten.txt", std::filesystem::perms::none);
  start();
  EXPECT_EQ(get("/files/ten.txt").status(), 403);
}

TEST_P(SendFileTest, WhatTheClientHasIsNotSentAgain) {
  start();
  const std::string head(get("/files/ten.txt").head());
  const std::size_t at = head.find("ETag: ") + 6;
  const std::string etag = head.substr(at, head.find("\r\n", at) - at);
  for (const Peer::Variables& condition :
       {Peer::Variables{{"HTTP_IF_NONE_MATCH", etag}},
        Peer::Variables{{"HTTP_IF_MODIFIED_SINCE", kModified}}}) {
    const auto reply = get("/files/ten.txt", condition);
    EXPECT_EQ(reply.status(), 304);
    EXPECT_EQ(reply.body(), "");
    EXPECT_THAT(std::string(reply.head()), HasSubstr("ETag: " + etag));
    EXPECT_THAT(std::string(reply.head()), Not(HasSubstr("Content-")));
  }
  EXPECT_EQ(get("/files/ten.txt", {{"HTTP_IF_MATCH", "\"other\""}}).status(), 412);
}

TEST_P(SendFileTest, RangesArePartial) {
  start();
  const struct {
    const char* range;
    int status;
    const char* body;
    const char* field;
  } cases[] = {
      {"bytes=2-4", 206, "234", "Content-Range: bytes 2-4/10"},
      {"bytes=-1", 206, "9", "Content-Range: bytes 9-9/10"},
      {"bytes=7-", 206, "789", "Content-Length: 3"},
      {"bytes=10-", 416, "Range Not Satisfiable\n", "Content-Range: bytes */10"},
      {"bytes=0-1,3-4", 200, "0123456789", "Content-Length: 10"},
  };
  for (const auto& c : cases) {
    const auto reply = get("/files/ten.txt", {{"HTTP_RANGE", c.range}});
    EXPECT_EQ(reply.status(), c.status) << c.range;
    EXPECT_EQ(reply.body(), c.body) << c.range;
    EXPECT_THAT(std::string(reply.head()), HasSubstr(c.field));
  }
  EXPECT_EQ(
      get("/files/ten.txt", {{"HTTP_RANGE", "bytes=1-2"}, {"HTTP_IF_RANGE", kModified}}).status(),
      206);
  EXPECT_EQ(
      get("/files/ten.txt", {{"HTTP_RANGE", "bytes=1-2"}, {"HTTP_IF_RANGE", "\"old\""}}).status(),
      200);
}

TEST_P(SendFileTest, LargeFilesWaitForTheClient) {
  std::string content(3 * 1024 * 1024 + 7, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 % 251);
  write("large.bin", content);
  start();
  constexpr std::uint32_t kWindow = 64 * 1024;
  peer->agree(kWindow);
  peer->auto_credit = false;
  peer->begin(1, "GET", "/files/large.bin");
  peer->input_end(1);
  const auto full = [&] { return peer->reply(1).output.size() >= kWindow; };
  ASSERT_TRUE(peer->wait(full));
  // Another request on the same connection is answered: only this one is held up.
  peer->begin(2, "GET", "/files/ten.txt");
  peer->input_end(2);
  ASSERT_TRUE(peer->wait_end(2));
  EXPECT_EQ(peer->reply(1).output.size(), kWindow);
  peer->auto_credit = true;
  peer->grant(1, kWindow);
  ASSERT_TRUE(peer->wait_end(1));
  EXPECT_TRUE(peer->reply(1).body() == content);
}

TEST_P(SendFileTest, EmptyFilesAreEmptyAnswers) {
  write("empty.css", "");
  start();
  EXPECT_THAT(std::string(get("/files/empty.css").head()), HasSubstr("Content-Length: 0"));
}

TEST_P(SendFileTest, DownloadsHaveTheirName) {
  start();
  EXPECT_THAT(std::string(get("/named").head()),
              HasSubstr("Content-Disposition: attachment; filename=\"___.txt\"; "
                        "filename*=UTF-8''%E2%82%AC.txt"));
}

TEST_P(SendFileTest, WhatTheHandlerSetsStays) {
  const auto path = directory.path() / "ten.txt";
  app.get("/own", [path](Request&, Response& res) {
    res.type("text/x-own").headers().set("ETag", "\"own\"");
    res.send_file(path);
  });
  app.get("/error", [path](Request&, Response& res) { res.status(503).send_file(path); });
  app.get("/late", [path](Request&, Response& res) {
    res.write("x");
    EXPECT_THROW(res.send_file(path), std::logic_error);
  });
  start();
  const std::string head(get("/own").head());
  EXPECT_THAT(head, HasSubstr("Content-Type: text/x-own"));
  EXPECT_THAT(head, HasSubstr("ETag: \"own\""));
  EXPECT_EQ(get("/own", {{"HTTP_IF_NONE_MATCH", "\"own\""}}).status(), 304);
  const auto error = get("/error", {{"HTTP_RANGE", "bytes=1-2"}});
  EXPECT_EQ(error.status(), 503);
  EXPECT_EQ(error.body(), "0123456789");
  EXPECT_EQ(get("/late").body(), "x");
}

TEST_P(SendFileTest, TransformsGetTheWholeFile) {
  const auto path = directory.path() / "ten.txt";
  app.get("/t", [path](Request&, Response& res) {
    res.transform([](std::string_view chunk, bool) { return std::string(chunk) + '!'; });
    res.send_file(path);
  });
  start();
  const auto reply = get("/t", {{"HTTP_RANGE", "bytes=1-2"}});
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(reply.body(), "0123456789!");
  EXPECT_THAT(std::string(reply.head()), Not(HasSubstr("ETag")));
}

TEST_P(SendFileTest, TheFrontServerIsNamedTheFile) {
  write("100% \xC3\xA4.txt", "x");
  const auto root = std::filesystem::canonical(directory.path()).string();
  for (const auto& [delivery, name] :
       {std::pair(FileDelivery::x_accel_redirect, "X-Accel-Redirect: "),
        std::pair(FileDelivery::x_sendfile, "X-Sendfile: ")}) {
    file_delivery = delivery;
    start();
    const auto reply = get("/files/100%25%20%C3%A4.txt", {{"HTTP_RANGE", "bytes=0-0"}});
    EXPECT_EQ(reply.status(), 200);
    EXPECT_EQ(reply.body(), "");
    EXPECT_THAT(std::string(reply.head()), HasSubstr(name + root + "/100%25%20%C3%A4.txt"));
    EXPECT_THAT(std::string(reply.head()), HasSubstr("Content-Type: text/plain; charset=utf-8"));
    EXPECT_EQ(get("/files/missing").status(), 404);
    EXPECT_THAT(std::string(get("/named").head()), HasSubstr("Content-Disposition"));
  }
}

TEST_P(SendFileTest, ARequestWhoseFrontServerDeliversNoFilesGetsTheFile) {
  file_delivery = FileDelivery::x_accel_redirect;
  start();
  const auto reply = get("/files/ten.txt", {{"VIADUCT_SEND_FILE", "off"}});
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(reply.body(), "0123456789");
  EXPECT_THAT(std::string(reply.head()), Not(HasSubstr("X-Accel-Redirect")));
  const auto part =
      get("/files/ten.txt", {{"VIADUCT_SEND_FILE", "off"}, {"HTTP_RANGE", "bytes=1-2"}});
  EXPECT_EQ(part.status(), 206);
  EXPECT_EQ(part.body(), "12");
  EXPECT_EQ(get("/files/ten.txt").body(), "");
}

}  // namespace
}  // namespace viaduct::test
