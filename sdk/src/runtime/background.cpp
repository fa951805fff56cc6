#include "sdk/src/runtime/background.hpp"

#include <exception>

#include <viaduct/errors.hpp>
#include <viaduct/log.hpp>

#include "sdk/src/guard.hpp"
#include "sdk/src/runtime/context.hpp"
#include "sdk/src/runtime/signal_stack.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

Background::Background(const std::vector<std::function<void(std::stop_token)>>& tasks) {
  for (const auto& task : tasks) {
    threads_.emplace_back([&task](std::stop_token stop) {
      const SignalStack signal_stack;
      ThreadContext context;
      context.task_stop = stop;
      Context::set_current(&context);
      guard(
          [&] {
            try {
              task(std::move(stop));
            } catch (const client_gone&) {
              // What it waited for was ended by the token.
            }
          },
          [](const std::exception_ptr& error) {
            log(Level::error, "background task: ", describe_exception(error));
          });
      Context::set_current(nullptr);
    });
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
