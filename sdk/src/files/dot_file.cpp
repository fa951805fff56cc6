#include "sdk/src/files/dot_file.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

bool names_dot_file(std::string_view relative) {
  constexpr std::string_view kWellKnown = ".well-known/";
  if (relative.starts_with(kWellKnown)) relative.remove_prefix(kWellKnown.size());
  while (!relative.empty()) {
    const std::size_t slash = relative.find('/');
    const std::string_view part = relative.substr(0, slash);
    if (part.size() > 1 && part.front() == '.') return true;
    relative.remove_prefix(slash == std::string_view::npos ? relative.size() : slash + 1);
  }
  return false;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
