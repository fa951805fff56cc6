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

std::string app_of_path(std::string_view path) {
  constexpr std::string_view kApps = "apps.";
  if (!path.starts_with(kApps)) return {};
  path.remove_prefix(kApps.size());
  return std::string(path.substr(0, path.find_first_of(".[")));
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

void Report::error(const Origin& where, std::string path, std::string message, std::string app) {
  if (app.empty()) app = app_of_path(path);
  if (!app.empty()) broken_apps_.insert(app);
  if (!is_new(where, message)) return;
  errors_.push_back({where, std::move(path), std::move(message), std::move(app)});
}

void Report::warning(const Origin& where, std::string path, std::string message, std::string app) {
  if (app.empty()) app = app_of_path(path);
  if (!is_new(where, message)) return;
  warnings_.push_back({where, std::move(path), std::move(message), std::move(app)});
}

}  // namespace viaduct::daemon::config
