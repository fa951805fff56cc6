#include <viaduct/router.hpp>

#include "sdk/src/route_tree.hpp"

namespace viaduct {
inline namespace v1 {

Router::Router() : routes_(std::make_unique<detail::RouteTree>()) {}
Router::Router(const Router& other)
    : routes_(std::make_unique<detail::RouteTree>(*other.routes_)) {}
Router::Router(Router&& other) noexcept = default;
Router& Router::operator=(const Router& other) {
  if (this != &other) routes_ = std::make_unique<detail::RouteTree>(*other.routes_);
  return *this;
}
Router& Router::operator=(Router&& other) noexcept = default;
Router::~Router() = default;

Router& Router::route(std::string_view methods, std::string_view pattern, Handler handler) {
  routes_->add(methods, pattern, std::move(handler));
  return *this;
}

Router& Router::get(std::string_view pattern, Handler handler) {
  return route("GET", pattern, std::move(handler));
}
Router& Router::post(std::string_view pattern, Handler handler) {
  return route("POST", pattern, std::move(handler));
}
Router& Router::put(std::string_view pattern, Handler handler) {
  return route("PUT", pattern, std::move(handler));
}
Router& Router::patch(std::string_view pattern, Handler handler) {
  return route("PATCH", pattern, std::move(handler));
}
Router& Router::del(std::string_view pattern, Handler handler) {
  return route("DELETE", pattern, std::move(handler));
}

// By value in the signature: what the caller does to its router later does not show here.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
Router& Router::mount(std::string_view prefix, Router router) {
  routes_->mount(prefix, *router.routes_);
  return *this;
}

Router& Router::use(Middleware middleware) {
  routes_->use(std::move(middleware));
  return *this;
}

}  // namespace v1
}  // namespace viaduct
