#include <algorithm>

#include <viaduct/form.hpp>
#include <viaduct/wait.hpp>

#include "sdk/src/form/spool_file.hpp"

namespace viaduct {
inline namespace v1 {

void Upload::save(const std::filesystem::path& to) const {
  blocking([&] { detail::move_file(path, to); });
}

const Upload* Form::upload(std::string_view name) const {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [name](const Upload& file) { return file.name == name; });
  return found == files.end() ? nullptr : &*found;
}

}  // namespace v1
}  // namespace viaduct
