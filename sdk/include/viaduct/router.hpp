#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

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
/// anything else, of whatever type, 500 (a broken response once the head is out) and a log line
/// that names the type. What ends a thread or a fiber by unwinding its stack passes.
using Handler = std::function<void(Request&, Response&)>;

namespace detail {

/// Makes a Handler of callables that return `Result`, such as the coroutines of
/// <viaduct/async.hpp>.
template <class Result>
struct HandlerFrom {
  template <class Function>
  static Handler adapt(Function) {
    static_assert(std::is_void_v<Result>,
                  "a handler returns void; for coroutines include <viaduct/async.hpp>");
    return {};
  }
};

template <class Function>
concept Adaptable = std::is_invocable_v<Function&, Request&, Response&> &&
    !std::is_void_v<std::invoke_result_t<Function&, Request&, Response&>>;

template <Adaptable Function>
Handler adapt(Function function) {
  return HandlerFrom<std::invoke_result_t<Function&, Request&, Response&>>::adapt(
      std::move(function));
}

}  // namespace detail

/// Stands around handlers: called with the request, the response, and what is to be done next,
/// which it calls once, or not at all when it answers itself. `next` is valid until it returns. It
/// sees what a handler or a routing error (404, 405) throws, and may let it pass, throw something
/// else or answer. Headers for every answer, those of errors included, belong into a hook of
/// Response::before_start; behind `next` the response may have started.
using Middleware = std::function<void(Request&, Response&, const Handler& next)>;

/// Maps methods and paths to handlers.
///
/// A pattern begins with '/' and is compared segment by segment with the path below the mount, each
/// segment decoded by itself, so that an encoded slash separates nothing: text stands for itself,
/// `{name}` captures one non-empty segment, `{name:int}` one that is a decimal number of 64 bits,
/// `{name:path}` at the end all that is left, slashes included, possibly nothing. Where several
/// patterns fit, the earliest segment decides: text before int before any segment before the tail,
/// whatever the order of registration. `/users` and `/users/` differ. What finding a route costs
/// depends on the path, not on the number of routes.
///
/// A path without a handler for the method is answered 405 with Allow, a path without any 404, one
/// with a malformed escape 400. HEAD is answered by the handler of GET, OPTIONS with 204 and Allow,
/// unless they have handlers of their own. `OPTIONS *` is answered 204.
///
/// All members that add something throw std::invalid_argument for a malformed pattern or method and
/// for an empty handler. Two routes that fit the same requests are reported when the app starts:
/// run() names both patterns and returns 70. Routes and middleware are added before run() is called
/// or by App::on_startup; after that a router does not change and may be used by any thread.
class VIADUCT_API Router {
 public:
  /// Without routes.
  Router();
  /// The same routes and middleware; what is added to one of the two later does not show in the
  /// other.
  Router(const Router& other);
  /// `other` may only be destroyed or assigned to afterwards.
  Router(Router&& other) noexcept;
  /// As when copied.
  Router& operator=(const Router& other);
  /// As when moved.
  Router& operator=(Router&& other) noexcept;
  ~Router();

  /// Adds a route. `methods` is one method or several with commas between: "GET,POST".
  Router& route(std::string_view methods, std::string_view pattern, Handler handler);
  /// Adds a route for GET, and so for HEAD.
  Router& get(std::string_view pattern, Handler handler);
  /// Adds a route for POST.
  Router& post(std::string_view pattern, Handler handler);
  /// Adds a route for PUT.
  Router& put(std::string_view pattern, Handler handler);
  /// Adds a route for PATCH.
  Router& patch(std::string_view pattern, Handler handler);
  /// Adds a route for DELETE.
  Router& del(std::string_view pattern, Handler handler);

  /// @{
  /// The same with a coroutine as handler, which returns `boost::asio::awaitable<void>`; see
  /// async.hpp.
  template <detail::Adaptable Coroutine>
  Router& route(std::string_view methods, std::string_view pattern, Coroutine handler) {
    return route(methods, pattern, detail::adapt(std::move(handler)));
  }
  template <detail::Adaptable Coroutine>
  Router& get(std::string_view pattern, Coroutine handler) {
    return get(pattern, detail::adapt(std::move(handler)));
  }
  template <detail::Adaptable Coroutine>
  Router& post(std::string_view pattern, Coroutine handler) {
    return post(pattern, detail::adapt(std::move(handler)));
  }
  template <detail::Adaptable Coroutine>
  Router& put(std::string_view pattern, Coroutine handler) {
    return put(pattern, detail::adapt(std::move(handler)));
  }
  template <detail::Adaptable Coroutine>
  Router& patch(std::string_view pattern, Coroutine handler) {
    return patch(pattern, detail::adapt(std::move(handler)));
  }
  template <detail::Adaptable Coroutine>
  Router& del(std::string_view pattern, Coroutine handler) {
    return del(pattern, detail::adapt(std::move(handler)));
  }
  /// @}

  /// Adds every route of `router`, which is copied, with `prefix` in front. Its handlers and
  /// middleware see a request whose script_name() has grown by the prefix and whose path() begins
  /// behind it, so that Request::url() leads back to it; the prefix alone asks for "/". `prefix` is
  /// a pattern without a tail, captures included, or empty. Precedence and conflicts are as if the
  /// routes had been written out. Its middleware stands inside the middleware of this router,
  /// around its own routes and around the 404 of every path below the prefix.
  Router& mount(std::string_view prefix, Router router);

  /// Puts `middleware` around every route of this router, mounted ones included, and around its
  /// 404, 405 and OPTIONS answers, wherever in the order of registration; the first one is the
  /// outermost. That of an app runs before the route is looked for: Request::arg() is empty in it
  /// until `next` has been called.
  Router& use(Middleware middleware);

  /// Answers GET (and so HEAD) below `prefix` with the files below `root`, as
  /// `Response::send_file(root, relative)` does. Directories are 404: there are no indexes; so are
  /// files that begin with a dot, unless `dot_files` says otherwise. A relative `root` is taken
  /// from the current directory of this call; it need not exist yet.
  Router& files(std::string_view prefix, std::filesystem::path root,
                DotFiles dot_files = DotFiles::hidden);

 private:
  friend struct detail::RouterAccess;
  std::unique_ptr<detail::RouteTree> routes_;
};

}  // namespace v1
}  // namespace viaduct
