#pragma once

#include <cxxabi.h>

#include <exception>
#include <string>
#include <utility>

#include <boost/context/detail/exception.hpp>
#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Calls `work`, and `on_error` with what it throws. What unwinds a stack in order to end it
/// passes: the end of a thread (pthread_exit, pthread_cancel) and that of a Boost.Context fiber,
/// which both end the process when they are caught for good. `on_error` runs when the exception is
/// no longer being handled: the end of a thread that is caught while another one is ends the
/// process, too.
template <class Work, class OnError>
void guard(Work&& work, OnError&& on_error) {
  std::exception_ptr thrown;
  try {
    std::forward<Work>(work)();
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (const boost::context::detail::forced_unwind&) {
    throw;
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) std::forward<OnError>(on_error)(thrown);
}

/// For log lines: `text (std::runtime_error)`, or `an exception of type int`.
[[nodiscard]] VIADUCT_API std::string describe_exception(const std::exception_ptr& error);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
