#pragma once

#include <string>
#include <string_view>

#include <viaduct/fields.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// What the library may do with Fields and its users may not.
struct FieldsAccess {
  /// Adds what a peer sent, checked or not.
  static void append(Fields& fields, std::string name, std::string_view value) {
    fields.items_.emplace_back(std::move(name), value);
  }
  static void clear(Fields& fields) { fields.items_.clear(); }
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
