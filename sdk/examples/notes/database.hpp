#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace notes {

class Statement;

/// One connection to a SQLite database file. To be used by one thread at a time. Members throw
/// std::runtime_error with SQLite's own words.
class Database {
 public:
  /// Opens the file, making it if needed, and brings its tables up to date.
  explicit Database(const std::string& path);

  /// A statement whose parameters `?1`, `?2`, ... are still to be bound.
  [[nodiscard]] Statement prepare(std::string_view sql);
  void execute(const char* sql);
  [[nodiscard]] std::int64_t last_id() const;
  /// Rows that the last statement changed.
  [[nodiscard]] int changes() const;

 private:
  void use_write_ahead_log();

  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

/// Changes that are made together or, unless commit() is called, not at all.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {
    database_.execute("BEGIN IMMEDIATE");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

/// A statement and, while step() says true, the row it stands on.
class Statement {
 public:
  Statement(sqlite3& database, std::string_view sql);

  /// Parameters are numbered from 1. Text is copied.
  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_bytes(int parameter, std::string_view bytes);
  /// False behind the last row.
  [[nodiscard]] bool step();
  /// Runs a statement that has no rows.
  void run();

  /// Columns are numbered from 0.
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  void require(int status) const;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  sqlite3& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace notes
