#include "notes_app.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include <viaduct/json.hpp>
#include <viaduct/middleware.hpp>
#include <viaduct/session.hpp>
#include <viaduct/viaduct.hpp>

#include "json_api.hpp"
#include "pages.hpp"
#include "requests.hpp"

namespace notes {
namespace {

using viaduct::http_error;
using viaduct::Request;
using viaduct::Response;

constexpr std::size_t kMaxName = 50;
constexpr std::uint64_t kMaxUpload = 4 * 1024 * 1024;

Draft draft_of(Request& req) {
  const viaduct::Values& values = req.form().values;
  return checked(values.get("title").value_or(""), values.get("text").value_or(""));
}

// Takes the message that the request before left for this page.
Frame frame_of(Request& req) {
  viaduct::Session& session = viaduct::session(req);
  Frame frame;
  frame.name = visitor(req);
  frame.csrf_token = viaduct::middleware::csrf_token(req);
  frame.message = session.get("message").value_or("");
  session.erase("message");
  frame.url = [&req](std::string_view path) { return req.url(path); };
  return frame;
}

void show(Response& res, const std::string& page) {
  res.type("text/html; charset=utf-8").send(page);
}

void go(Request& req, Response& res, const std::string& path, std::string_view message) {
  viaduct::session(req).set("message", message);
  res.redirect(req.url(path));
}

std::string content_of(const viaduct::Upload& upload) {
  std::ifstream file(upload.path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!file || content.size() != upload.size) {
    throw std::runtime_error("cannot read " + upload.path.string());
  }
  return content;
}

void create(Store& store, Request& req, Response& res) {
  const std::string author = required_visitor(req);
  const Draft draft = draft_of(req);
  std::vector<Attachment> files;
  for (const viaduct::Upload& upload : req.form().files) {
    if (upload.name != "file") continue;
    files.push_back({0, upload.filename.empty() ? "unnamed" : upload.filename, content_of(upload)});
  }
  const std::int64_t id = store.create(author, draft.title, draft.text, files);
  go(req, res, path_of(id), "Saved.");
}

// Whatever it is, it must not run as a page of this site.
void send_attachment(Store& store, Request& req, Response& res) {
  const auto file = store.attachment(req.arg<std::int64_t>("id"), req.arg<std::int64_t>("file"));
  if (!file) throw http_error(404, "There is no such file.");
  std::string name;
  for (const char c : file->filename) {
    const bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '%';
    name += plain ? c : '_';
  }
  res.headers().set("Content-Disposition", "attachment; filename=\"" + name + '"');
  res.headers().set("X-Content-Type-Options", "nosniff");
  res.type("application/octet-stream").send(file->content);
}

viaduct::Router page_routes(Store& store) {
  viaduct::Router pages;
  pages.use(viaduct::middleware::body_limit({.bytes = kMaxUpload}));
  pages.use(viaduct::middleware::csrf({.in_session = true}));
  pages.get("/", [&store](Request& req, Response& res) {
    const std::string words(req.query().get("q").value_or(""));
    show(res, list_page(frame_of(req), store.list(words), words));
  });
  pages.post("/name", [](Request& req, Response& res) {
    const std::string_view name = req.form().values.get("name").value_or("");
    if (name.empty() || name.size() > kMaxName) {
      throw http_error(400, "A name has from 1 to 50 bytes.");
    }
    viaduct::session(req).set("name", name);
    go(req, res, "/", "Hello!");
  });
  pages.post("/name/forget", [](Request& req, Response& res) {
    viaduct::session(req).clear();
    res.redirect(req.url("/"));
  });
  pages.post("/notes", [&store](Request& req, Response& res) { create(store, req, res); });
  pages.get("/notes/{id:int}", [&store](Request& req, Response& res) {
    const Note note = required_note(store, req);
    show(res, note_page(frame_of(req), note, store.attachments(note.id)));
  });
  pages.post("/notes/{id:int}", [&store](Request& req, Response& res) {
    const Note note = own_note(store, req);
    const Draft draft = draft_of(req);
    store.change(note.id, draft.title, draft.text);
    go(req, res, path_of(note.id), "Changed.");
  });
  pages.post("/notes/{id:int}/delete", [&store](Request& req, Response& res) {
    store.remove(own_note(store, req).id);
    go(req, res, "/", "Deleted.");
  });
  pages.get("/notes/{id:int}/files/{file:int}",
            [&store](Request& req, Response& res) { send_attachment(store, req, res); });
  return pages;
}

void answer_error(Request& req, Response& res, const std::exception_ptr& error) {
  std::string text = "Something went wrong.";
  try {
    std::rethrow_exception(error);
  } catch (const http_error& known) {
    text = known.what();
  } catch (...) {
  }
  if (req.path().starts_with("/api/")) {
    return viaduct::send_json(res, {{"error", text}});
  }
  Frame frame;
  frame.url = [&req](std::string_view path) { return req.url(path); };
  show(res, error_page(frame, res.status(), text));
}

}  // namespace

std::unique_ptr<viaduct::App> make_app(const Dependencies& dependencies) {
  auto app = std::make_unique<viaduct::App>();
  app->use(viaduct::middleware::security_headers());
  app->use(viaduct::sessions({.keys = dependencies.keys}));
  app->mount("", page_routes(dependencies.store));
  app->mount("/api", json_api(dependencies.store));
  app->on_error([](Request& req, Response& res, const std::exception_ptr& error) {
    answer_error(req, res, error);
  });
  return app;
}

}  // namespace notes
