#include "database.hpp"

#include <sqlite3.h>

#include <chrono>
#include <stdexcept>

namespace notes {
namespace {

constexpr int kBusyMilliseconds = 5000;  // another worker may be writing

constexpr const char* kTables = R"(
  CREATE TABLE IF NOT EXISTS note (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    author TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    changed INTEGER NOT NULL DEFAULT (unixepoch())
  );
  CREATE TABLE IF NOT EXISTS attachment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    note INTEGER NOT NULL REFERENCES note ON DELETE CASCADE,
    filename TEXT NOT NULL,
    content BLOB NOT NULL
  );
  CREATE INDEX IF NOT EXISTS attachment_note ON attachment (note);
)";

[[noreturn]] void fail(sqlite3* handle) {
  throw std::runtime_error(std::string("SQLite: ") + sqlite3_errmsg(handle));
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

Database::Database(const std::string& path) {
  sqlite3* handle = nullptr;
  const int status = sqlite3_open(path.c_str(), &handle);
  handle_.reset(handle);  // also there when opening failed
  if (status != SQLITE_OK) fail(handle);
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  use_write_ahead_log();
  execute("PRAGMA foreign_keys = ON");
  execute(kTables);
}

// Whoever changes the journal needs the file alone, and SQLite does not wait for that.
void Database::use_write_ahead_log() {
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(kBusyMilliseconds);
  while (sqlite3_exec(handle_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr) !=
         SQLITE_OK) {
    const bool busy = sqlite3_errcode(handle_.get()) == SQLITE_BUSY;
    if (!busy || std::chrono::steady_clock::now() >= until) fail(handle_.get());
    sqlite3_sleep(1);
  }
}

Statement Database::prepare(std::string_view sql) {
  return {*handle_, sql};
}

void Database::execute(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    fail(handle_.get());
  }
}

std::int64_t Database::last_id() const {
  return sqlite3_last_insert_rowid(handle_.get());
}

int Database::changes() const {
  return sqlite3_changes(handle_.get());
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const std::exception&) {
    // SQLite has rolled back by itself, which is what made the statement fail.
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Statement(sqlite3& database, std::string_view sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  require(
      sqlite3_prepare_v2(&database, sql.data(), static_cast<int>(sql.size()), &statement, nullptr));
  statement_.reset(statement);
}

void Statement::require(int status) const {
  if (status != SQLITE_OK) fail(&database_);
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  require(sqlite3_bind_int64(statement_.get(), parameter, value));
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  require(sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(),
                              SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_bytes(int parameter, std::string_view bytes) {
  require(sqlite3_bind_blob64(statement_.get(), parameter, bytes.data(), bytes.size(),
                              SQLITE_TRANSIENT));
  return *this;
}

bool Statement::step() {
  const int status = sqlite3_step(statement_.get());
  if (status != SQLITE_ROW && status != SQLITE_DONE) fail(&database_);
  return status == SQLITE_ROW;
}

void Statement::run() {
  while (step()) continue;
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const void* const bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr
             ? std::string()
             : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

}  // namespace notes
