#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <viaduct/pool.hpp>

#include "database.hpp"

namespace notes {

struct Note {
  std::int64_t id = 0;
  std::string author;
  std::string title;
  std::string text;
};

struct Attachment {
  std::int64_t id = 0;   ///< given by the store
  std::string filename;  ///< as the browser named it
  std::string content;   ///< empty in lists
};

/// Where notes are kept: the SQL of the application, and nothing of the web. Any number of handlers
/// may use it at once; each call borrows one of a few connections and lets other fibers run
/// meanwhile. Throws std::runtime_error when the database does.
class Store {
 public:
  /// `path`: the database file. `connections`: open at once at most.
  explicit Store(const std::string& path, std::size_t connections = 4);

  /// Newest first, at most 100. `words` occur in title or text; empty: all notes.
  [[nodiscard]] std::vector<Note> list(std::string_view words = {});
  [[nodiscard]] std::optional<Note> find(std::int64_t id);
  /// A note with its attachments, or nothing at all. Returns the id.
  std::int64_t create(std::string_view author, std::string_view title, std::string_view text,
                      const std::vector<Attachment>& files = {});
  /// False when there is no such note.
  bool change(std::int64_t id, std::string_view title, std::string_view text);
  bool remove(std::int64_t id);

  [[nodiscard]] std::vector<Attachment> attachments(std::int64_t note);
  [[nodiscard]] std::optional<Attachment> attachment(std::int64_t note, std::int64_t id);

 private:
  void with_database(const std::function<void(Database&)>& work);

  viaduct::Pool<Database> databases_;
};

}  // namespace notes
