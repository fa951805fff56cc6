#include "pages.hpp"

#include <viaduct/html.hpp>

namespace notes {
namespace {

using viaduct::html_escape;

std::string link(const Frame& frame, const std::string& path, std::string_view text) {
  return "<a href=\"" + html_escape(frame.url(path)) + "\">" + html_escape(text) + "</a>";
}

std::string form(const Frame& frame, const std::string& path, const std::string& inside,
                 std::string_view encoding = "application/x-www-form-urlencoded") {
  return "<form method=\"post\" action=\"" + html_escape(frame.url(path)) + "\" enctype=\"" +
         html_escape(encoding) + "\">\n<input type=\"hidden\" name=\"csrf_token\" value=\"" +
         html_escape(frame.csrf_token) + "\">\n" + inside + "</form>\n";
}

std::string note_fields(std::string_view title, std::string_view text) {
  return "<label>Title <input name=\"title\" required maxlength=\"200\" value=\"" +
         html_escape(title) + "\"></label>\n<label>Text <textarea name=\"text\" rows=\"6\">\n" +
         html_escape(text) + "</textarea></label>\n";
}

std::string who(const Frame& frame) {
  if (frame.name.empty()) {
    return form(frame, "/name",
                "<label>Your name <input name=\"name\" required maxlength=\"50\"></label>\n"
                "<button>Write notes</button>\n");
  }
  return form(frame, "/name/forget",
              "You are " + html_escape(frame.name) + ". <button>Forget me</button>\n");
}

std::string page(const Frame& frame, std::string_view title, const std::string& content) {
  std::string text = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>";
  text += html_escape(title) + "</title>\n<h1>" + html_escape(title) + "</h1>\n";
  if (!frame.message.empty()) text += "<p role=\"status\">" + html_escape(frame.message) + "</p>\n";
  text += content;
  if (!frame.csrf_token.empty()) text += "<hr>\n" + who(frame);
  return text + "</html>\n";
}

}  // namespace

std::string list_page(const Frame& frame, const std::vector<Note>& found, std::string_view words) {
  std::string text = "<form action=\"" + html_escape(frame.url("/")) +
                     "\"><input type=\"search\" name=\"q\" value=\"" + html_escape(words) +
                     "\"> <button>Search</button></form>\n<ul>\n";
  for (const Note& note : found) {
    text += "<li>" + link(frame, "/notes/" + std::to_string(note.id), note.title) + " by " +
            html_escape(note.author) + "</li>\n";
  }
  text += "</ul>\n";
  if (found.empty()) text += "<p>No notes.</p>\n";
  if (!frame.name.empty()) {
    text += "<h2>New note</h2>\n" +
            form(frame, "/notes",
                 note_fields("", "") +
                     "<label>Files <input type=\"file\" name=\"file\" multiple></label>\n"
                     "<button>Save</button>\n",
                 "multipart/form-data");
  }
  return page(frame, "Notes", text);
}

std::string note_page(const Frame& frame, const Note& note,
                      const std::vector<Attachment>& attachments) {
  const std::string path = "/notes/" + std::to_string(note.id);
  std::string text = "<p>by " + html_escape(note.author) + "</p>\n<pre>" + html_escape(note.text) +
                     "</pre>\n<ul>\n";
  for (const Attachment& file : attachments) {
    text +=
        "<li>" + link(frame, path + "/files/" + std::to_string(file.id), file.filename) + "</li>\n";
  }
  text += "</ul>\n";
  if (note.author == frame.name) {
    text += "<h2>Change it</h2>\n" +
            form(frame, path, note_fields(note.title, note.text) + "<button>Save</button>\n") +
            form(frame, path + "/delete", "<button>Delete</button>\n");
  }
  return page(frame, note.title, text + "<p>" + link(frame, "/", "All notes") + "</p>\n");
}

std::string error_page(const Frame& frame, int status, std::string_view text) {
  return page(frame, "Error " + std::to_string(status),
              "<p>" + html_escape(text) + "</p>\n<p>" + link(frame, "/", "All notes") + "</p>\n");
}

}  // namespace notes
