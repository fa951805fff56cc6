#include "requests.hpp"

#include <optional>
#include <utility>

#include <viaduct/errors.hpp>
#include <viaduct/session.hpp>

namespace notes {

using viaduct::http_error;
using viaduct::Request;

namespace {

constexpr std::size_t kMaxTitle = 200;
constexpr std::size_t kMaxText = 64 * 1024;

}  // namespace

Draft checked(std::string_view title, std::string_view text) {
  if (title.empty() || title.size() > kMaxTitle) {
    throw http_error(400, "A title has from 1 to 200 bytes.");
  }
  if (text.size() > kMaxText) throw http_error(413, "A text has at most 65536 bytes.");
  return {std::string(title), std::string(text)};
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

std::string path_of(std::int64_t note) {
  return "/notes/" + std::to_string(note);
}

}  // namespace notes
