#include "notes_app.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include <boost/json.hpp>
#include <viaduct/middleware.hpp>
#include <viaduct/session.hpp>
#include <viaduct/viaduct.hpp>

#include "pages.hpp"

namespace notes {
namespace {

using viaduct::http_error;
using viaduct::Request;
using viaduct::Response;
namespace json = boost::json;

constexpr std::size_t kMaxTitle = 200;
constexpr std::size_t kMaxName = 50;
constexpr std::size_t kMaxText = 64 * 1024;
constexpr std::uint64_t kMaxUpload = 4 * 1024 * 1024;

struct Draft {
  std::string title;
  std::string text;
};

Draft checked(std::string_view title, std::string_view text) {
  if (title.empty() || title.size() > kMaxTitle) {
    throw http_error(400, "A title has from 1 to 200 bytes.");
  }
  if (text.size() > kMaxText) throw http_error(413, "A text has at most 65536 bytes.");
  return {std::string(title), std::string(text)};
}

Draft draft_of(Request& req) {
  const viaduct::Values& values = req.form().values;
  return checked(values.get("title").value_or(""), values.get("text").value_or(""));
}

std::string visitor(Request& req) {
  return std::string(viaduct::session(req).get("name").value_or(""));
}

std::string required_visitor(Request& req) {
  std::string name = visitor(req);
  if (name.empty()) throw http_error(403, "Say who you are first.");
  return name;
}

Note required_note(Store& store, Request& req) {
  std::optional<Note> note = store.find(req.arg<std::int64_t>("id"));
  if (!note) throw http_error(404, "There is no such note.");
  return *std::move(note);
}

Note own_note(Store& store, Request& req) {
  Note note = required_note(store, req);
  if (note.author != required_visitor(req)) throw http_error(403, "This is not your note.");
  return note;
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

std::string path_of(std::int64_t note) {
  return "/notes/" + std::to_string(note);
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

json::object json_of(const Note& note) {
  return {{"id", note.id}, {"author", note.author}, {"title", note.title}, {"text", note.text}};
}

void send_json(Response& res, const json::value& value) {
  res.type("application/json").send(json::serialize(value));
}

// A form of another site cannot send this type, so that the session's cookie is enough.
Draft json_draft(Request& req) {
  if (req.headers().get("Content-Type") != "application/json") {
    throw http_error(415, "Send application/json.");
  }
  json::error_code malformed;
  const json::value sent = json::parse(req.body().text(kMaxUpload), malformed);
  const json::object* const fields = sent.if_object();
  if (malformed || fields == nullptr) throw http_error(400, "Send a JSON object.");
  const auto text_of = [fields](std::string_view name) -> std::string {
    const json::value* const value = fields->if_contains(name);
    if (value == nullptr) return {};
    if (!value->is_string()) throw http_error(400, std::string(name) + " is not a string.");
    return std::string(value->get_string());
  };
  return checked(text_of("title"), text_of("text"));
}

viaduct::Router json_routes(Store& store) {
  viaduct::Router api;
  api.get("/notes", [&store](Request& req, Response& res) {
    json::array list;
    for (const Note& note : store.list(req.query().get("q").value_or(""))) {
      list.push_back(json_of(note));
    }
    send_json(res, list);
  });
  api.get("/notes/{id:int}", [&store](Request& req, Response& res) {
    send_json(res, json_of(required_note(store, req)));
  });
  api.post("/notes", [&store](Request& req, Response& res) {
    const Draft draft = json_draft(req);
    const std::int64_t id = store.create(required_visitor(req), draft.title, draft.text);
    res.status(201).headers().set("Location", req.url(path_of(id)));
    send_json(res, json_of(*store.find(id)));
  });
  return api;
}

void answer_error(Request& req, Response& res, const std::exception_ptr& error) {
  std::string text = "Something went wrong.";
  try {
    std::rethrow_exception(error);
  } catch (const http_error& known) {
    text = known.what();
  } catch (...) {
  }
  if (req.path().starts_with("/api/")) return send_json(res, {{"error", text}});
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
  app->mount("/api", json_routes(dependencies.store));
  app->on_error([](Request& req, Response& res, const std::exception_ptr& error) {
    answer_error(req, res, error);
  });
  return app;
}

}  // namespace notes
