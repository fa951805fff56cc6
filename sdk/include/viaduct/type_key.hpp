#pragma once

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Names a type without run-time type information, which applications may be compiled without.
using TypeKey = const void*;

/// Shared between libraries, unless the type itself is local to one.
template <class T>
struct VIADUCT_API TypeKeyOf {
  static inline char place = 0;
};

template <class T>
TypeKey type_key() {
  return &TypeKeyOf<T>::place;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
