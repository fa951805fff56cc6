#include "daemon/config/diagnostic.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::daemon::config {
namespace {

void add_once(std::vector<Diagnostic>& list, Diagnostic finding) {
  const bool known = finding.where && std::any_of(list.begin(), list.end(), [&](const auto& other) {
                       return other.where == finding.where && other.message == finding.message;
                     });
  if (!known) list.push_back(std::move(finding));
}

}  // namespace

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

void Report::error(const Origin& where, std::string path, std::string message) {
  add_once(errors_, {where, std::move(path), std::move(message)});
}

void Report::warning(const Origin& where, std::string path, std::string message) {
  add_once(warnings_, {where, std::move(path), std::move(message)});
}

}  // namespace viaduct::daemon::config
