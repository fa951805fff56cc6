#include "sdk/src/guard.hpp"

#include <typeinfo>

#include <boost/core/demangle.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

std::string type_in_hand() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  return type != nullptr ? boost::core::demangle(type->name()) : std::string("unknown");
}

}  // namespace

std::string describe_exception(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return std::string(thrown.what()) + " (" + type_in_hand() + ')';
  } catch (...) {
    return "an exception of type " + type_in_hand();
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
