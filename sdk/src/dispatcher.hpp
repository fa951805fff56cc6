#pragma once

#include <exception>
#include <functional>
#include <string_view>

#include <viaduct/app.hpp>

#include "sdk/src/files/delivery.hpp"
#include "sdk/src/request_state.hpp"
#include "sdk/src/response_state.hpp"
#include "sdk/src/route_tree.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Has an app answer a request: calls the middleware, finds the route, calls the handler, and turns
/// what they throw into an answer. Used by many threads at once.
class Dispatcher {
 public:
  /// Throws std::logic_error when routes conflict.
  explicit Dispatcher(const App& app, FileDelivery file_delivery = FileDelivery::self)
      : app_(app), file_delivery_(file_delivery) {
    require_distinct_routes(app);
  }

  /// Returns with the response finished, or unfinished after client_gone. Throws nothing but what
  /// guard() passes on.
  void serve(RequestState& state, Request& request, ResponseState& response) const;

 private:
  void route(RequestState& state, Request& request, ResponseState& response) const;
  void match(RequestState& state, Request& request, Response& response) const;
  void within(RouteTree::ScopeId id, RequestState& state, Request& request, Response& response,
              const Handler& core) const;
  void recover(Request& request, ResponseState& response, const std::exception_ptr& error) const;
  static void leave(Request& request, ResponseState& response);
  static bool attempt(Request& request, ResponseState& response, const http_error& error,
                      std::string_view who, const std::function<void()>& write);
  void answer(Request& request, ResponseState& response, const http_error& error,
              const std::exception_ptr& cause) const;

  const App& app_;
  const FileDelivery file_delivery_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
