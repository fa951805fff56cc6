#include "json_api.hpp"

#include <string>
#include <string_view>

#include <viaduct/errors.hpp>
#include <viaduct/json.hpp>
#include <viaduct/request.hpp>
#include <viaduct/response.hpp>

#include "requests.hpp"

namespace notes {
namespace {

using viaduct::http_error;
using viaduct::read_json;
using viaduct::Request;
using viaduct::Response;
using viaduct::send_json;
namespace json = boost::json;

// Every byte of a text may be written as \u00XX.
constexpr std::size_t kMaxBody = 512 * 1024;

std::string text_of(const json::object& fields, std::string_view name) {
  const json::value* const value = fields.if_contains(name);
  if (value == nullptr) return {};
  if (!value->is_string()) throw http_error(400, std::string(name) + " is not a string.");
  return std::string(value->get_string());
}

Draft draft_of(Request& req) {
  const json::value sent = read_json(req, kMaxBody);
  const json::object* const fields = sent.if_object();
  if (fields == nullptr) throw http_error(400, "Send a JSON object.");
  return checked(text_of(*fields, "title"), text_of(*fields, "text"));
}

json::object summary_of(const Note& note) {
  return {{"id", note.id}, {"author", note.author}, {"title", note.title}, {"text", note.text}};
}

json::object json_of(Store& store, const Note& note) {
  json::array files;
  for (const Attachment& file : store.attachments(note.id)) {
    files.push_back({{"id", file.id}, {"filename", file.filename}});
  }
  json::object fields = summary_of(note);
  fields["files"] = std::move(files);
  return fields;
}

void list(Store& store, Request& req, Response& res) {
  json::array found;
  for (const Note& note : store.list(req.query().get("q").value_or(""))) {
    found.push_back(summary_of(note));
  }
  send_json(res, found);
}

void create(Store& store, Request& req, Response& res) {
  const std::string author = required_visitor(req);
  const auto [title, text] = draft_of(req);
  const std::int64_t id = store.create(author, title, text);
  res.status(201).headers().set("Location", req.url(path_of(id)));
  send_json(res, json_of(store, {id, author, title, text}));
}

void change(Store& store, Request& req, Response& res) {
  Note note = own_note(store, req);
  const auto [title, text] = draft_of(req);
  if (!store.change(note.id, title, text)) throw http_error(404, "There is no such note.");
  send_json(res, json_of(store, {note.id, note.author, title, text}));
}

}  // namespace

viaduct::Router json_api(Store& store) {
  viaduct::Router api;
  api.get("/notes", [&store](Request& req, Response& res) { list(store, req, res); });
  api.post("/notes", [&store](Request& req, Response& res) { create(store, req, res); });
  api.get("/notes/{id:int}", [&store](Request& req, Response& res) {
    send_json(res, json_of(store, required_note(store, req)));
  });
  api.put("/notes/{id:int}", [&store](Request& req, Response& res) { change(store, req, res); });
  api.del("/notes/{id:int}", [&store](Request& req, Response& res) {
    store.remove(own_note(store, req).id);
    res.status(204);
  });
  return api;
}

}  // namespace notes
