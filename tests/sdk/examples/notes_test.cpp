#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <viaduct/testing.hpp>

#include "database.hpp"
#include "notes_app.hpp"
#include "tests/sdk/support/temporary_directory.hpp"
#include "tests/sdk/support/ways.hpp"

namespace notes {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using viaduct::testing::Client;
using viaduct::testing::Multipart;
using viaduct::testing::Reply;
using viaduct::testing::urlencoded;
using viaduct::testing::Via;

// Someone with a browser: takes the token that forms need from the page they are on.
class Visitor {
 public:
  Visitor(viaduct::App& app, Via via) : client(app, via) {}

  std::string token() {
    static constexpr std::string_view kMark = "name=\"csrf_token\" value=\"";
    const std::string page = client.get("/").body;
    const std::size_t begin = page.find(kMark);
    if (begin == std::string::npos) throw std::runtime_error("no token in " + page);
    const std::size_t from = begin + kMark.size();
    return page.substr(from, page.find('"', from) - from);
  }
  Reply send(std::string_view path,
             std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
    return client.post(path, urlencoded({{"csrf_token", token()}}) + '&' + urlencoded(fields));
  }
  void say_name(std::string_view name) { send("/name", {{"name", name}}); }
  // Returns where the note is.
  std::string write(std::string_view title, std::string_view text) {
    const Reply reply = send("/notes", {{"title", title}, {"text", text}});
    EXPECT_EQ(reply.status, 303) << reply.body << reply.errors;
    return std::string(reply.headers.get("Location").value_or("nowhere"));
  }

  Reply send_json(std::string_view method, std::string_view path, std::string_view json,
                  std::string_view type = "application/json") {
    viaduct::Fields headers;
    headers.set("Content-Type", type);
    return client.request(method, path, json, headers);
  }

  Client client;
};

class NotesTest : public ::testing::TestWithParam<viaduct::test::Way> {
 protected:
  NotesTest() { app->model(GetParam().model); }

  viaduct::test::TemporaryDirectory directory;
  Store store{directory.path() / "notes.db"};
  std::unique_ptr<viaduct::App> app = make_app({.store = store, .keys = {std::string(32, 'k')}});
};

INSTANTIATE_TEST_SUITE_P(Notes, NotesTest, ::testing::ValuesIn(viaduct::test::kSomeWays),
                         viaduct::test::way_name);

TEST_P(NotesTest, ANoteIsWrittenChangedFoundAndDeleted) {
  Visitor ada(*app, GetParam().via);
  EXPECT_THAT(ada.client.get("/").body, HasSubstr("No notes."));
  ada.say_name("Ada");
  const std::string path = ada.write("Shopping", "milk & bread");
  EXPECT_EQ(path, "/notes/1");
  const std::string page = ada.client.get(path).body;
  EXPECT_THAT(page, HasSubstr("<pre>milk &amp; bread</pre>"));
  EXPECT_THAT(page, HasSubstr("Saved."));
  EXPECT_THAT(ada.client.get(path).body, Not(HasSubstr("Saved.")));

  EXPECT_EQ(ada.send(path, {{"title", "Errands"}, {"text", "100% done"}}).status, 303);
  EXPECT_THAT(ada.client.get("/?q=0%25").body, HasSubstr("Errands"));
  EXPECT_THAT(ada.client.get("/?q=_").body, HasSubstr("No notes."));
  EXPECT_THAT(ada.client.get("/?q=milk").body, HasSubstr("No notes."));

  EXPECT_EQ(ada.send(path + "/delete", {}).status, 303);
  EXPECT_EQ(ada.client.get(path).status, 404);
}

TEST_P(NotesTest, WhatOthersWroteIsEscaped) {
  Visitor mallory(*app, GetParam().via);
  mallory.say_name("<b>Mallory</b>");
  const std::string path = mallory.write("<script>", "</pre><script>alert(1)</script>\"'");
  for (const std::string& page : {mallory.client.get("/").body, mallory.client.get(path).body,
                                  mallory.client.get("/?q=%22%3E%3Cscript%3E").body}) {
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, Not(HasSubstr("<b>")));
  }
}

TEST_P(NotesTest, OnlyTheAuthorChangesANote) {
  Visitor ada(*app, GetParam().via);
  Visitor eve(*app, GetParam().via);
  ada.say_name("Ada");
  const std::string path = ada.write("Diary", "private thoughts");
  EXPECT_EQ(eve.send(path, {{"title", "Ha"}, {"text", ""}}).status, 403);
  eve.say_name("Eve");
  EXPECT_THAT(eve.client.get(path).body, Not(HasSubstr("Change it")));
  EXPECT_EQ(eve.send(path, {{"title", "Ha"}, {"text", ""}}).status, 403);
  EXPECT_EQ(eve.send(path + "/delete", {}).status, 403);
  EXPECT_THAT(eve.client.get(path).body, HasSubstr("Diary"));
}

TEST_P(NotesTest, FormsOfOtherSitesAreRefused) {
  Visitor ada(*app, GetParam().via);
  ada.say_name("Ada");
  EXPECT_EQ(ada.client.post("/notes", "title=spam&text=").status, 403);
  EXPECT_EQ(ada.client.post("/api/notes", R"({"title":"spam"})", "text/plain").status, 415);
  EXPECT_TRUE(store.list().empty());
}

TEST_P(NotesTest, ForgedSessionsAreNobodys) {
  Visitor eve(*app, GetParam().via);
  eve.say_name("Eve");
  const std::string cookie = eve.client.cookie("__Host-session").value_or("");
  ASSERT_FALSE(cookie.empty());
  std::string forged = cookie;
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  eve.client.header("Cookie", "__Host-session=" + forged);
  EXPECT_THAT(eve.client.get("/").body, HasSubstr("Your name"));
}

TEST_P(NotesTest, FilesComeBackAsTheyWere) {
  Visitor ada(*app, GetParam().via);
  ada.say_name("Ada");
  const std::string photo("\x89PNG\0\r\n", 7);
  Multipart form;
  form.field("csrf_token", ada.token()).field("title", "Holiday").field("text", "");
  form.file("file", "beach \xc3\xa4.png", photo, "image/png").file("file", "empty.txt", "");
  ASSERT_EQ(ada.client.post("/notes", form).status, 303);
  EXPECT_THAT(ada.client.get("/notes/1").body, HasSubstr("beach \xc3\xa4.png"));
  const Reply reply = ada.client.get("/notes/1/files/1");
  EXPECT_EQ(reply.body, photo);
  EXPECT_EQ(reply.headers.get("Content-Type"), "application/octet-stream");
  EXPECT_EQ(reply.headers.get("Content-Disposition"), "attachment; filename=\"beach __.png\"");
  EXPECT_EQ(ada.client.get("/notes/1/files/2").body, "");
  EXPECT_EQ(ada.client.get("/notes/2/files/1").status, 404);
  EXPECT_EQ(ada.send("/notes/1/delete", {}).status, 303);
  EXPECT_EQ(ada.client.get("/notes/1/files/1").status, 404);
}

TEST_P(NotesTest, TooMuchIsRefusedAndKeepsNothing) {
  Visitor ada(*app, GetParam().via);
  ada.say_name("Ada");
  EXPECT_EQ(ada.send("/notes", {{"title", ""}}).status, 400);
  EXPECT_EQ(ada.send("/notes", {{"title", std::string(201, 'x')}}).status, 400);
  ada.write(std::string(200, 'x'), std::string(64 * 1024, 'y'));
  Multipart form;
  form.field("csrf_token", ada.token()).field("title", "Large").field("text", "");
  form.file("file", "large", std::string(5 * 1024 * 1024, 'z'));
  EXPECT_EQ(ada.client.post("/notes", form).status, 413);
  EXPECT_EQ(store.list().size(), 1U);
}

TEST_P(NotesTest, ProgramsWriteChangeFindAndDelete) {
  Visitor ada(*app, GetParam().via);
  ada.say_name("Ada");
  const Reply made = ada.send_json("POST", "/api/notes", R"({"title":"caf\u00e9","text":"\"q\""})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.headers.get("Location"), "/api/notes/1");
  EXPECT_EQ(made.headers.get("Content-Type"), "application/json");
  const std::string note =
      "{\"id\":1,\"author\":\"Ada\",\"title\":\"caf\xc3\xa9\",\"text\":\"\\\"q\\\"\"";
  EXPECT_EQ(made.body, note + R"(,"files":[]})");
  EXPECT_EQ(ada.client.get("/api/notes/1").body, made.body);
  EXPECT_EQ(ada.client.get("/api/notes?q=caf%C3%A9").body, '[' + note + "}]");
  EXPECT_EQ(ada.client.get("/api/notes?q=nothing").body, "[]");

  const Reply changed = ada.send_json("PUT", "/api/notes/1", R"({"title":"Tea"})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.body, R"({"id":1,"author":"Ada","title":"Tea","text":"","files":[]})");
  EXPECT_EQ(ada.client.get("/api/notes/1").body, changed.body);
  EXPECT_THAT(ada.client.get("/notes/1").body, HasSubstr("<h1>Tea</h1>"));

  const Reply deleted = ada.client.del("/api/notes/1");
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(deleted.body, "");
  EXPECT_EQ(ada.client.get("/api/notes/1").status, 404);
  EXPECT_EQ(ada.client.get("/api/notes").body, "[]");
}

TEST_P(NotesTest, ProgramsSeeWhatIsAttached) {
  Visitor ada(*app, GetParam().via);
  ada.say_name("Ada");
  Multipart form;
  form.field("csrf_token", ada.token()).field("title", "Holiday").field("text", "");
  form.file("file", "beach.png", "a photo").file("file", "dunes.png", "another");
  ASSERT_EQ(ada.client.post("/notes", form).status, 303);
  EXPECT_THAT(
      ada.client.get("/api/notes/1").body,
      HasSubstr(R"("files":[{"id":1,"filename":"beach.png"},{"id":2,"filename":"dunes.png"}])"));
}

TEST_P(NotesTest, ProgramsMayDoNoMoreThanPeople) {
  Visitor ada(*app, GetParam().via);
  Visitor eve(*app, GetParam().via);
  constexpr std::string_view kNote = R"({"title":"mine"})";
  EXPECT_EQ(eve.send_json("POST", "/api/notes", kNote).status, 403);
  ada.say_name("Ada");
  ada.write("Diary", "");
  for (const bool named : {false, true}) {
    if (named) eve.say_name("Eve");
    EXPECT_EQ(eve.send_json("PUT", "/api/notes/1", kNote).status, 403);
    EXPECT_EQ(eve.client.del("/api/notes/1").status, 403);
  }
  EXPECT_THAT(eve.client.get("/api/notes/1").body, HasSubstr("Diary"));
}

TEST_P(NotesTest, ProgramsAreToldWhatIsWrongAsJson) {
  Visitor ada(*app, GetParam().via);
  ada.say_name("Ada");
  const auto status = [&ada](std::string_view method, std::string_view path, std::string_view sent,
                             std::string_view type = "application/json") {
    const Reply reply = ada.send_json(method, path, sent, type);
    EXPECT_EQ(reply.headers.get("Content-Type"), "application/json") << path << sent;
    EXPECT_THAT(reply.body, ::testing::StartsWith(R"({"error":")")) << path << sent;
    return reply.status;
  };
  ada.write("Diary", "");
  for (const char* const bad : {"", "[]", "{", R"({"title":1})", R"({"text":"no title"})"}) {
    EXPECT_EQ(status("POST", "/api/notes", bad), 400) << bad;
    EXPECT_EQ(status("PUT", "/api/notes/1", bad), 400) << bad;
  }
  EXPECT_EQ(status("POST", "/api/notes", "title=x", "application/x-www-form-urlencoded"), 415);
  EXPECT_EQ(status("GET", "/api/notes/2", ""), 404);
  EXPECT_EQ(status("PUT", "/api/notes/2", R"({"title":"x"})"), 404);
  EXPECT_EQ(status("DELETE", "/api/notes/2", ""), 404);
  EXPECT_EQ(status("PATCH", "/api/notes/1", "{}"), 405);
  const std::string text(64 * 1024, 'x');
  EXPECT_EQ(status("PUT", "/api/notes/1", R"({"title":"x","text":"y)" + text + "\"}"), 413);
  EXPECT_EQ(status("PUT", "/api/notes/1", '"' + std::string(512 * 1024, 'x') + '"'), 413);
  EXPECT_EQ(ada.send_json("PUT", "/api/notes/1", R"({"title":"x","text":")" + text + "\"}").status,
            200);
}

TEST_P(NotesTest, SeveralWriteAtOnce) {
  constexpr int kWriters = 4;
  constexpr int kNotes = 5;
  std::vector<std::unique_ptr<Visitor>> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.push_back(std::make_unique<Visitor>(*app, GetParam().via));
  }
  std::vector<std::jthread> threads;
  for (const auto& writer : writers) {
    threads.emplace_back([&writer] {
      writer->say_name("Ada");
      for (int i = 0; i < kNotes; ++i) writer->write("note", "text");
    });
  }
  threads.clear();
  EXPECT_EQ(store.list().size(), static_cast<std::size_t>(kWriters * kNotes));
}

TEST_P(NotesTest, NotesOutliveTheApplication) {
  {
    Visitor ada(*app, GetParam().via);
    ada.say_name("Ada");
    ada.write("Shopping", "milk");
  }
  Store again(directory.path() / "notes.db");
  ASSERT_EQ(again.list().size(), 1U);
  EXPECT_EQ(again.list().front().title, "Shopping");
}

// As workers do that start together.
TEST(NotesDatabase, ManyOpenANewFileAtOnce) {
  const viaduct::test::TemporaryDirectory directory;
  for (int round = 0; round < 100; ++round) {
    const std::string path = directory.path() / ("notes" + std::to_string(round));
    std::latch start(4);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        EXPECT_NO_THROW(Database database(path)) << round;
      });
    }
  }
}

TEST(NotesWithoutDatabase, SayWhyInTheLogOnly) {
  Store store("/nonexistent/notes.db");
  const auto app = make_app({.store = store, .keys = {std::string(32, 'k')}});
  Client client(*app);
  const Reply reply = client.get("/");
  EXPECT_EQ(reply.status, 500);
  EXPECT_THAT(reply.body, Not(HasSubstr("SQLite")));
  EXPECT_EQ(reply.errors, "GET /: SQLite: unable to open database file (std::runtime_error)\n");
}

}  // namespace
}  // namespace notes
