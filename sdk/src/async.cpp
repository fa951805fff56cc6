// What <viaduct/async.hpp> needs of the library, without Boost.Asio: the application may have
// another version of that.
#include <exception>
#include <functional>
#include <memory>
#include <stop_token>

#include <viaduct/request.hpp>
#include <viaduct/taskqueue.hpp>

#include "sdk/src/attachments.hpp"
#include "sdk/src/guard.hpp"
#include "sdk/src/request_state.hpp"
#include "sdk/src/runtime/context.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

std::shared_ptr<void> shared_object(const Request& req, TypeKey type,
                                    const std::function<std::shared_ptr<void>()>& make) {
  RequestState& state = RequestAccess::state(req);
  if (Attachments* const shared = state.control().attachments()) return shared->get(type, make);
  std::shared_ptr<void>& own = state.local(type);
  if (!own) own = make();
  return own;
}

void run_guarded(const char* who, const std::function<void()>& work) {
  guard(work, [who](const std::exception_ptr& error) {
    log(Level::error, who, ": ", describe_exception(error));
  });
}

std::exception_ptr caught(const std::function<void()>& work) {
  std::exception_ptr thrown;
  guard(work, [&thrown](const std::exception_ptr& error) { thrown = error; });
  return thrown;
}

std::stop_token current_stop() {
  return Context::current().stop();
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
