#include <string>
#include <utility>

#include <viaduct/router.hpp>

namespace viaduct {
inline namespace v1 {

Router& Router::files(std::string_view prefix, std::filesystem::path root, DotFiles dot_files) {
  root = std::filesystem::absolute(root);
  std::string pattern(prefix);
  if (!pattern.ends_with('/')) pattern += '/';
  pattern += "{file:path}";
  return get(pattern, [root = std::move(root), dot_files](Request& req, Response& res) {
    res.send_file(root, *req.arg("file"), {}, dot_files);
  });
}

}  // namespace v1
}  // namespace viaduct
