#pragma once

#include <string>
#include <utility>
#include <vector>

#include <viaduct/values.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// What the library may do with Values and its users may not.
struct ValuesAccess {
  static void append(Values& values, std::string name, std::string value) {
    values.items_.emplace_back(std::move(name), std::move(value));
  }
  static void assign(Values& values, std::vector<std::pair<std::string, std::string>> items) {
    values.items_ = std::move(items);
  }
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
