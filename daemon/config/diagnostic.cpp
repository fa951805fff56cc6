#include "daemon/config/diagnostic.hpp"

#include <utility>

namespace viaduct::daemon::config {
std::string format(const Origin& origin) {
  if (!origin) return {};
  return *origin.file + ':' + std::to_string(origin.line) + ':' + std::to_string(origin.column);
}

bool operator==(const Origin& left, const Origin& right) {
  if (!left || !right) return !left && !right;
  return *left.file == *right.file && left.line == right.line && left.column == right.column;
}

std::string format(const Diagnostic& diagnostic) {
  std::string text = format(diagnostic.where);
  if (!text.empty()) text += ": ";
  if (!diagnostic.path.empty()) text += diagnostic.path + ": ";
  return text + diagnostic.message;
}

bool Report::is_new(const Origin& where, const std::string& message) {
  return !where || seen_.emplace(format(where), message).second;
}

void Report::error(const Origin& where, std::string path, std::string message) {
  if (is_new(where, message)) errors_.push_back({where, std::move(path), std::move(message)});
}

void Report::warning(const Origin& where, std::string path, std::string message) {
  if (is_new(where, message)) warnings_.push_back({where, std::move(path), std::move(message)});
}

}  // namespace viaduct::daemon::config
