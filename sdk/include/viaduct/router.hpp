#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <viaduct/export.hpp>
#include <viaduct/request.hpp>
#include <viaduct/response.hpp>

namespace viaduct {
inline namespace v1 {

namespace detail {
class RouteTree;
struct RouterAccess;
}  // namespace detail

/// Answers one request, in straight-line code: reading and writing wait as if they blocked. Called
/// concurrently for different requests. What it throws becomes an answer: http_error its own,
/// anything else 500 (a broken response once the head is out) and a log line.
using Handler = std::function<void(Request&, Response&)>;

/// Maps methods and paths to handlers.
///
/// A pattern begins with '/' and is compared segment by segment with the path below the mount:
/// text stands for itself, `{name}` captures one non-empty segment, `{name:int}` one that is a
/// decimal number of 64 bits, `{name:path}` at the end all that is left, slashes included, possibly
/// nothing. Where several patterns fit, the earliest segment decides: text before int before any
/// segment before the tail, whatever the order of registration. `/users` and `/users/` differ.
///
/// A path without a handler for the method is answered 405 with Allow, a path without any 404. HEAD
/// is answered by the handler of GET, OPTIONS with 204 and Allow, unless they have handlers of
/// their own.
///
/// All members that add routes throw std::invalid_argument for a malformed pattern or method and
/// std::logic_error when there is a handler already, naming the pattern. Routes are added before
/// run() is called; after that a router does not change and may be used by any thread.
class VIADUCT_API Router {
 public:
  Router();
  Router(const Router& other);
  Router(Router&& other) noexcept;
  Router& operator=(const Router& other);
  Router& operator=(Router&& other) noexcept;
  ~Router();

  /// `methods` is one method or several with commas between: "GET,POST".
  Router& route(std::string_view methods, std::string_view pattern, Handler handler);
  Router& get(std::string_view pattern, Handler handler);
  Router& post(std::string_view pattern, Handler handler);
  Router& put(std::string_view pattern, Handler handler);
  Router& patch(std::string_view pattern, Handler handler);
  Router& del(std::string_view pattern, Handler handler);

 private:
  friend struct detail::RouterAccess;
  std::unique_ptr<detail::RouteTree> routes_;
};

}  // namespace v1
}  // namespace viaduct
