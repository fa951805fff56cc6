#include "daemon/config/sources.hpp"

#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "daemon/config/text_file.hpp"

namespace viaduct::daemon::config {
namespace {

namespace fs = std::filesystem;

// A directory that does not exist holds nothing; one that cannot be read is a mistake.
int is_mistake(const char*, int error) {
  return error != ENOENT && error != ENOTDIR;
}

// Sorted by bytes: glob() itself would sort by the locale.
std::vector<std::string> matches(const std::string& pattern, int& failure) {
  glob_t found{};
  failure = glob(pattern.c_str(), GLOB_NOSORT, is_mistake, &found);
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  std::sort(paths.begin(), paths.end());
  return paths;
}

class Includes {
 public:
  Includes(const Node& main, Report& report) : report_(report), main_(*main.origin.file) {
    seen_.insert(fs::absolute(main_).lexically_normal().string());
  }

  void add(const Node& pattern, const std::string& key) {
    if (pattern.kind != Node::Kind::scalar || pattern.text.empty()) return;
    const std::string absolute = (main_.parent_path() / pattern.text).string();
    int failure = 0;
    const auto paths = matches(absolute, failure);
    if (failure == GLOB_NOMATCH) {
      if (pattern.text.find_first_of("*?[") == std::string::npos)
        report_.error(pattern.origin, key, absolute + ": No such file or directory (ENOENT)");
    } else if (failure != 0) {
      report_.error(pattern.origin, key, absolute + ": a directory cannot be read");
    }
    for (const std::string& path : paths) add_file(pattern, key, path);
  }

  std::vector<NodePtr> documents;

 private:
  void add_file(const Node& pattern, const std::string& key, const std::string& path) {
    if (!seen_.insert(fs::absolute(path).lexically_normal().string()).second)
      return report_.error(pattern.origin, key, path + " is part of the configuration already");
    if (documents.size() == kMaxIncludedFiles)
      return report_.error(
          pattern.origin, key,
          "at most " + std::to_string(kMaxIncludedFiles) + " files can be included");
    documents.push_back(read_document(path, report_));
  }

  Report& report_;
  fs::path main_;
  std::set<std::string> seen_;
};

}  // namespace

NodePtr read_document(const fs::path& file, Report& report) {
  const auto name = std::make_shared<const std::string>(file.string());
  auto content = read_text_file(*name);
  if (const auto* failure = std::get_if<ReadFailure>(&content)) {
    report.error({}, *name, describe_errno(failure->error));
    auto nothing = std::make_shared<Node>();
    nothing->origin = {name, 1, 1};
    return nothing;
  }
  return parse_document(std::get<std::string>(content), name, report);
}

std::vector<NodePtr> read_included(const Node& main, Report& report) {
  Includes includes(main, report);
  const Entry* include = find_entry(main, "include");
  if (include && include->value->kind == Node::Kind::sequence)
    for (std::size_t index = 0; index < include->value->items.size(); ++index)
      includes.add(*include->value->items[index], "include[" + std::to_string(index) + ']');
  return std::move(includes.documents);
}

}  // namespace viaduct::daemon::config
