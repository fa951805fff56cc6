#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "tests/sdk/runtime/model_test.hpp"
#include "tests/sdk/support/form_body.hpp"
#include "tests/sdk/support/temporary_directory.hpp"

namespace viaduct::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUrlencoded = "application/x-www-form-urlencoded";

class FormTest : public ModelTest {
 protected:
  FormTest() { limits.directory = spool.path(); }

  // Answered, or the peer has lost patience.
  static Peer::Reply post(Peer& peer, std::string_view type, std::string_view body) {
    const std::string length = std::to_string(body.size());
    peer.begin(1, "POST", "/", {{"CONTENT_TYPE", type}, {"CONTENT_LENGTH", length}});
    if (!body.empty()) peer.input(1, body);
    peer.input_end(1);
    EXPECT_TRUE(peer.wait_end(1));
    return peer.reply(1);
  }
  Peer::Reply post(std::string_view type, std::string_view body) {
    const auto serving = serve();
    Peer peer(serving->address());
    return post(peer, type, body);
  }

  TemporaryDirectory spool;
  FormLimits limits;
};
INSTANTIATE_TEST_SUITE_P(Models, FormTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(FormTest, FieldsAndFilesOfAMultipartForm) {
  const std::string large(300 * 1000, 'x');
  app.post("/", [&](Request& req, Response& res) {
    const Form& form = req.form(limits);
    EXPECT_EQ(&form, &req.form());
    EXPECT_EQ(form.values.get("title"), "two words");
    EXPECT_EQ(form.values.items().size(), 2U);
    ASSERT_EQ(form.files.size(), 2U);
    const Upload* const photo = form.upload("photo");
    ASSERT_NE(photo, nullptr);
    EXPECT_EQ(photo->filename, "me.jpg");
    EXPECT_EQ(photo->type, "image/jpeg");
    EXPECT_EQ(photo->size, large.size());
    EXPECT_EQ(photo->path.parent_path(), spool.path());
    EXPECT_TRUE(content_of(photo->path) == large);
    struct stat status {};
    ASSERT_EQ(::stat(photo->path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(form.upload("title"), nullptr);
    EXPECT_EQ(form.upload("left empty"), nullptr);
    EXPECT_EQ(content_of(form.upload("empty")->path), "");
    res.send(std::to_string(spool.files().size()));
  });
  const auto body = FormBody()
                        .field("title", "two words")
                        .file("photo", "C:\\photos\\me.jpg", large, "image/jpeg")
                        .file("left empty", "", "")
                        .file("empty", "empty.txt", "")
                        .field("last", "")
                        .end();
  const auto reply = post(FormBody::kType, body);
  EXPECT_EQ(reply.body(), "2");
  EXPECT_TRUE(spool.files().empty());
}

TEST_P(FormTest, FieldsOfAUrlencodedForm) {
  app.post("/", [&](Request& req, Response& res) {
    res.send(std::string(*req.form(limits).values.get("b")) + '|' +
             std::to_string(req.form().files.size()));
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(post(peer, kUrlencoded, "a=1&b=x+y%21").body(), "x y!|0");
  EXPECT_EQ(post(peer, "application/x-www-form-urlencoded; charset=UTF-8", "b=").body(), "|0");
}

TEST_P(FormTest, ABodyMayComeByteByByte) {
  app.post("/", [&](Request& req, Response& res) {
    const Form& form = req.form(limits);
    res.send(std::string(*form.values.get("a")) + content_of(form.files.at(0).path));
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.begin(1, "POST", "/", {{"CONTENT_TYPE", FormBody::kType}});  // and its length is not known
  for (const char c : FormBody().field("a", "1\r\n-").file("f", "f", "\r\n--cut").end()) {
    peer.input(1, std::string_view(&c, 1));
    peer.flush();
  }
  peer.input_end(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), "1\r\n-\r\n--cut");
}

TEST_P(FormTest, SavedFilesStay) {
  const TemporaryDirectory shelf;
  app.post("/", [&](Request& req, Response& res) {
    const Upload& file = req.form(limits).files.at(0);
    file.save(shelf.path() / "kept");
    EXPECT_FALSE(fs::exists(file.path));
    EXPECT_THROW(file.save(shelf.path() / "again"), fs::filesystem_error);
    res.send("saved");
  });
  const auto reply =
      post(FormBody::kType, FormBody().file("f", "f", "one").file("f", "f", "two").end());
  EXPECT_EQ(reply.body(), "saved");
  EXPECT_EQ(content_of(shelf.path() / "kept"), "one");
  EXPECT_EQ(shelf.files().size(), 1U);
  EXPECT_TRUE(spool.files().empty());
}

TEST_P(FormTest, FilesGoWhenTheHandlerThrows) {
  app.post("/", [&](Request& req, Response&) {
    EXPECT_EQ(req.form(limits).files.size(), 1U);
    EXPECT_EQ(spool.files().size(), 1U);
    throw std::runtime_error("after the form");
  });
  EXPECT_EQ(post(FormBody::kType, FormBody().file("f", "f", "x").end()).status(), 500);
  EXPECT_TRUE(spool.files().empty());
}

TEST_P(FormTest, FilesGoWhenTheBodyIsMalformed) {
  app.post("/", [&](Request& req, Response&) {
    EXPECT_THROW((void)req.form(limits), http_error);
    EXPECT_TRUE(spool.files().empty());
    (void)req.form(limits);  // the same again
  });
  const auto reply = post(FormBody::kType, FormBody().file("f", "f", "x").unfinished());
  EXPECT_EQ(reply.status(), 400);
  EXPECT_EQ(reply.body(), "multipart body, part 1: no closing boundary\n");
  EXPECT_TRUE(spool.files().empty());
}

TEST_P(FormTest, FilesGoWhenTheClientLeaves) {
  Flag left;
  app.post("/", [&](Request& req, Response&) {
    try {
      (void)req.form(limits);
      ADD_FAILURE() << "a form without an end";
    } catch (const client_gone&) {
      EXPECT_TRUE(spool.files().empty());
      left.set();
      throw;
    }
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.begin(1, "POST", "/", {{"CONTENT_TYPE", FormBody::kType}});
  peer.input(1, FormBody().file("f", "f", std::string(200 * 1000, 'x')).unfinished());
  ASSERT_TRUE(peer.wait([&] { return !spool.files().empty(); }));
  peer.abort(1);
  peer.flush();
  EXPECT_TRUE(left.wait());
}

TEST_P(FormTest, FilesGoWhenTheTimeToDrainIsSpent) {
  app.post("/", [&](Request& req, Response&) { (void)req.form(limits); });
  const auto serving = serve(8, std::chrono::milliseconds(50));
  Peer peer(serving->address());
  peer.begin(1, "POST", "/", {{"CONTENT_TYPE", FormBody::kType}});
  peer.input(1, FormBody().file("f", "f", std::string(200 * 1000, 'x')).unfinished());
  ASSERT_TRUE(peer.wait([&] { return !spool.files().empty(); }));
  serving->drain();
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).status(), 503);
  EXPECT_TRUE(spool.files().empty());
}

TEST_P(FormTest, OtherMediaTypesAre415) {
  app.post("/", [&](Request& req, Response&) { (void)req.form(limits); });
  const auto serving = serve();
  Peer peer(serving->address());
  for (const char* type : {"", "text/plain", "application/json", "multipart/mixed; boundary=b"}) {
    const auto reply = post(peer, type, "a=1");
    EXPECT_EQ(reply.status(), 415) << type;
    EXPECT_NE(reply.head().find("Accept: application/x-www-form-urlencoded, multipart/form-data"),
              std::string_view::npos)
        << reply.head();
  }
  for (const char* type : {"multipart/form-data", "multipart/form-data; boundary=\"\"",
                           "multipart/form-data; boundary=a; boundary=b", "; x"}) {
    EXPECT_EQ(post(peer, type, "--b--").status(), 400) << type;
  }
}

TEST_P(FormTest, NothingIsStoredInADirectoryThatIsNotThere) {
  limits.directory = spool.path() / "missing";
  app.post("/", [&](Request& req, Response&) { (void)req.form(limits); });
  EXPECT_EQ(post(FormBody::kType, FormBody().file("f", "f", "x").end()).status(), 500);
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_NE(lines().front().find("cannot create a temporary file: No such file or directory"),
            std::string::npos);
  EXPECT_NE(lines().front().find(limits.directory.string()), std::string::npos);
}

TEST_P(FormTest, PartsAreStreamed) {
  limits.directory = "/nowhere";  // parts need none
  app.post("/", [&](Request& req, Response& res) {
    std::string seen;
    while (auto part = req.next_part(limits)) {
      seen += part->name + '=' + part->filename + ',' + part->type + ',';
      seen += part->headers.get("content-disposition") ? "headers," : "";
      seen += part->name == "skipped" ? "" : std::to_string(part->body->text(1 << 20).size());
      seen += '\n';
    }
    EXPECT_FALSE(req.next_part(limits));
    res.send(seen);
  });
  const auto body = FormBody()
                        .field("a", "12345")
                        .file("skipped", "s.bin", std::string(100 * 1000, 's'))
                        .file("f", "../f.bin", std::string(200 * 1000, 'f'), "image/png")
                        .end();
  EXPECT_EQ(post(FormBody::kType, body).body(),
            "a=,text/plain,headers,5\n"
            "skipped=s.bin,application/octet-stream,headers,\n"
            "f=f.bin,image/png,headers,200000\n");
}

TEST_P(FormTest, PartsArriveBeforeTheBodyIsComplete) {
  Flag first;
  app.post("/", [&](Request& req, Response& res) {
    EXPECT_EQ(req.next_part()->body->text(), "1");
    first.set();
    EXPECT_EQ(req.next_part()->body->text(), "2");
    EXPECT_FALSE(req.next_part());
    res.send("all");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.begin(1, "POST", "/", {{"CONTENT_TYPE", FormBody::kType}});
  peer.input(1, FormBody().field("a", "1").unfinished() + "--cut-here\r\n");
  peer.flush();
  ASSERT_TRUE(first.wait());
  peer.input(1, FormBody().field("b", "2").end().substr(std::string("--cut-here\r\n").size()));
  peer.input_end(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), "all");
}

TEST_P(FormTest, PartsBeyondALimitAre413) {
  limits.file = 1000;
  limits.field = 10;
  app.post("/", [&](Request& req, Response& res) {
    while (auto part = req.next_part(limits)) (void)part->body->text();
    res.send("read");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  const auto file = [&](std::size_t size) {
    return post(peer, FormBody::kType, FormBody().file("f", "f", std::string(size, 'x')).end());
  };
  const auto field = [&](std::size_t size) {
    return post(peer, FormBody::kType, FormBody().field("f", std::string(size, 'x')).end());
  };
  EXPECT_EQ(file(1000).body(), "read");
  EXPECT_EQ(file(1001).status(), 413);
  EXPECT_EQ(field(10).body(), "read");
  EXPECT_EQ(field(11).status(), 413);
  EXPECT_EQ(post(peer, kUrlencoded, "a=1").status(), 415);
}

TEST_P(FormTest, OneWayToTheBodyOnly) {
  app.post("/", [&](Request& req, Response& res) {
    const std::string_view ways = *req.query().get("ways");
    const auto use = [&](char way) {
      if (way == 'b') (void)req.body().text();
      if (way == 'f') (void)req.form(limits);
      if (way == 'n') (void)req.next_part(limits);
    };
    (void)req.body().length();
    Body& body = req.body();
    use(ways[0]);
    EXPECT_NO_THROW(use(ways[0]));
    EXPECT_THROW(use(ways[1]), std::logic_error) << ways;
    char byte = 0;
    if (ways[0] != 'b') {
      EXPECT_THROW((void)body.read(std::span<char>(&byte, 1)), std::logic_error) << ways;
    }
    res.send("said so");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  const std::string body = FormBody().field("a", "1").end();
  const std::string length = std::to_string(body.size());
  for (const char* ways : {"bf", "bn", "fb", "fn", "nb", "nf"}) {
    const std::string query = std::string("ways=") + ways;
    peer.begin(
        1, "POST", "/",
        {{"CONTENT_TYPE", FormBody::kType}, {"CONTENT_LENGTH", length}, {"QUERY_STRING", query}});
    peer.input(1, body);
    peer.input_end(1);
    ASSERT_TRUE(peer.wait_end(1));
    EXPECT_EQ(peer.reply(1).body(), "said so") << ways;
  }
}

TEST_P(FormTest, AFormThatIsNotReadHarmsNobody) {
  app.post("/", [](Request&, Response& res) { res.send("not read"); });
  const auto serving = serve();
  Peer peer(serving->address());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(post(peer, FormBody::kType, FormBody().file("f", "f", "x").end()).body(), "not read");
  }
}

}  // namespace
}  // namespace viaduct::test
