#include "store.hpp"

#include <viaduct/wait.hpp>

namespace notes {
namespace {

Note note_of(const Statement& row) {
  return {row.number(0), row.text(1), row.text(2), row.text(3)};
}

// For LIKE ... ESCAPE '\': the words themselves, wherever they stand.
std::string pattern_for(std::string_view words) {
  std::string pattern = "%";
  for (const char c : words) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + '%';
}

}  // namespace

Store::Store(const std::string& path, std::size_t connections)
    : databases_(connections, [path] { return std::make_unique<Database>(path); }) {}

void Store::with_database(const std::function<void(Database&)>& work) {
  const auto database = databases_.acquire();
  viaduct::blocking([&] { work(*database); });
}

std::vector<Note> Store::list(std::string_view words) {
  std::vector<Note> found;
  with_database([&](Database& database) {
    Statement rows = database.prepare(
        R"(SELECT id, author, title, text FROM note
           WHERE title LIKE ?1 ESCAPE '\' OR text LIKE ?1 ESCAPE '\'
           ORDER BY id DESC LIMIT 100)");
    rows.bind(1, pattern_for(words));
    while (rows.step()) found.push_back(note_of(rows));
  });
  return found;
}

std::optional<Note> Store::find(std::int64_t id) {
  std::optional<Note> found;
  with_database([&](Database& database) {
    Statement row = database.prepare("SELECT id, author, title, text FROM note WHERE id = ?1");
    if (row.bind(1, id).step()) found = note_of(row);
  });
  return found;
}

std::int64_t Store::create(std::string_view author, std::string_view title, std::string_view text,
                           const std::vector<Attachment>& files) {
  std::int64_t id = 0;
  with_database([&](Database& database) {
    Transaction transaction(database);
    database.prepare("INSERT INTO note (author, title, text) VALUES (?1, ?2, ?3)")
        .bind(1, author)
        .bind(2, title)
        .bind(3, text)
        .run();
    id = database.last_id();
    for (const Attachment& file : files) {
      database.prepare("INSERT INTO attachment (note, filename, content) VALUES (?1, ?2, ?3)")
          .bind(1, id)
          .bind(2, file.filename)
          .bind_bytes(3, file.content)
          .run();
    }
    transaction.commit();
  });
  return id;
}

bool Store::change(std::int64_t id, std::string_view title, std::string_view text) {
  bool changed = false;
  with_database([&](Database& database) {
    database.prepare("UPDATE note SET title = ?2, text = ?3, changed = unixepoch() WHERE id = ?1")
        .bind(1, id)
        .bind(2, title)
        .bind(3, text)
        .run();
    changed = database.changes() > 0;
  });
  return changed;
}

bool Store::remove(std::int64_t id) {
  bool removed = false;
  with_database([&](Database& database) {
    database.prepare("DELETE FROM note WHERE id = ?1").bind(1, id).run();
    removed = database.changes() > 0;
  });
  return removed;
}

std::vector<Attachment> Store::attachments(std::int64_t note) {
  std::vector<Attachment> found;
  with_database([&](Database& database) {
    Statement rows =
        database.prepare("SELECT id, filename FROM attachment WHERE note = ?1 ORDER BY id");
    rows.bind(1, note);
    while (rows.step()) found.push_back({rows.number(0), rows.text(1), {}});
  });
  return found;
}

std::optional<Attachment> Store::attachment(std::int64_t note, std::int64_t id) {
  std::optional<Attachment> found;
  with_database([&](Database& database) {
    Statement row = database.prepare(
        "SELECT id, filename, content FROM attachment WHERE note = ?1 AND id = ?2");
    if (row.bind(1, note).bind(2, id).step()) {
      found = {row.number(0), row.text(1), row.text(2)};
    }
  });
  return found;
}

}  // namespace notes
