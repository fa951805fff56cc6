#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include <viaduct/export.hpp>
#include <viaduct/log.hpp>
#include <viaduct/router.hpp>

namespace viaduct {
inline namespace v1 {

namespace detail {
struct AppSettings;
struct AppAccess;
}  // namespace detail

/// How handlers wait.
enum class Model : std::uint8_t {
  threads,  ///< each request has a thread of a pool; anything may block it
  fibers,   ///< each request has a fiber on one event loop; thousands wait at once
};

/// An application: its routes, and what goes with them. Built in main, then given to run(); it must
/// outlive that call and not change afterwards, other than in on_startup. Its hooks are called from
/// the threads named with each; what they capture by reference has to live as long as the App.
class VIADUCT_API App : public Router {
 public:
  /// Without routes.
  App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;
  ~App();

  /// Settings of a mounted app would be lost: build what is to be mounted as a Router.
  Router& mount(std::string_view prefix, App app) = delete;
  using Router::mount;

  /// The model when neither the command line nor the configuration (VIADUCT_MODEL) names one;
  /// threads unless set.
  App& model(Model model);

  /// A setting of this app: `--name VALUE` on the command line, else the variable NAME (upper case,
  /// '-' as '_') of the environment, else what `value` holds. `help` is what --help says about it.
  /// `value` is written before on_startup and must outlive run(). std::invalid_argument when the
  /// name is not of letters, digits and '-', or begins with '-'; a name that is taken, by another
  /// option or by one that run() has itself (`--http`, `--model`, ...), or whose variable begins
  /// with VIADUCT_, ends run() with status 70, which says so.
  App& option(std::string_view name, std::string_view help, std::string& value);

  /// Has `task` run on a thread of its own while requests are served, from after on_startup until
  /// the token is stopped, which is when the last request has ended. run() joins it: a task returns
  /// then, and the waits of Channel, Pool and sleep_for() in it end by themselves. What it throws
  /// is logged and ends the task alone.
  App& background(std::function<void(std::stop_token)> task);

  /// Called on every thread that runs handlers, before its first: limit + 1 threads under the model
  /// threads, one under fibers. What it throws ends run() with status
  /// 70; nothing has been served then.
  App& on_thread_start(std::function<void()> hook);

  /// Called once before the first request, in the order of registration, on the thread that called
  /// run(). Routes and middleware may still be added. What it throws ends run() with status 70.
  App& on_startup(std::function<void()> hook);

  /// Called once after the last request and the background tasks, in reverse order of registration,
  /// on the thread that called run(). What it throws has run() return 70; the others are still
  /// called.
  App& on_shutdown(std::function<void()> hook);

  /// Says whether the app can serve requests yet. Until it says yes, FCGI_GET_VALUES stays
  /// unanswered (FastCGI 1.0 section 4.1), so that viaductd waits with its requests, up to
  /// timeouts.start. Asked from after on_startup on a thread of its own, again and again with
  /// pauses of 10 ms to a second, and not again after its first yes; an exception means no and is
  /// logged. Web servers that ask nothing may send requests before.
  App& readiness(std::function<bool()> ready);

  /// Answers for a handler that threw, http_error and routing errors (404, 405) included, in place
  /// of the built-in text. Called only while nothing was sent; the response is as new, its status
  /// the one that would be sent. The exception has been logged where that is due; what the handler
  /// throws itself, of whatever type, is logged and answered with the built-in 500. Called as
  /// handlers are, several at once.
  App& on_error(std::function<void(Request&, Response&, std::exception_ptr)> handler);

  /// Whether run() has the process say why it crashes, on standard error, when viaductd started it
  /// (VIADUCT_APP): it does unless told otherwise here. It handles SIGSEGV, SIGBUS, SIGFPE, SIGILL,
  /// SIGABRT and SIGSYS as far as the application does not do so itself before run(), and the end
  /// by an uncaught exception; the process ends by its signal all the same. viaductd writes what
  /// was said into its crash report.
  App& crash_reports(bool wanted);

  /// Takes log lines, without level and line end, in place of standard error, while run() serves.
  /// Called from any thread, several at once; the line is valid during the call. It may wait, and
  /// take mutexes that handlers hold: the library holds none of its own meanwhile. What it has to
  /// say itself waits then, at most 256 lines; of more only the number is logged. When it throws,
  /// the line goes to standard error, and so does what it threw.
  App& log_sink(std::function<void(Level, std::string_view)> sink);

 private:
  friend struct detail::AppAccess;
  std::unique_ptr<detail::AppSettings> settings_;
};

/// Serves `app` until SIGTERM or SIGINT and returns the exit status for main: 0, 64 for a usage
/// error, 70 when start-up failed, each with a message on standard error.
///
/// Requests come from the first of these that there is:
///
/// 1. the address given with `--fastcgi ADDR`, `--scgi ADDR`, `--uwsgi ADDR` or `--http ADDR`:
///    `unix:/path`, `unix:@abstract`, `tcp:HOST:PORT`;
/// 2. a listening socket on descriptor 0, as viaductd, spawn-fcgi, mod_fcgid and lighttpd provide
///    it (FastCGI 1.0 section 2.2);
/// 3. the sockets of LISTEN_FDS (sd_listen_fds(3)), which speak FastCGI as well;
/// 4. a CGI environment (RFC 3875): one request on standard input, its answer on standard output;
/// 5. on a terminal, HTTP on 127.0.0.1:8080 for development, which standard error says.
///
/// Variables of the environment, each with the option that overrides it; viaductd sets the first
/// four:
///
/// - VIADUCT_MODEL, `--model`: threads or fibers; unless set, what App::model() says.
/// - VIADUCT_LIMIT, `--limit`: requests at once; 8 with threads (at most 1024), 1000 with fibers
///   (at most 20000).
/// - VIADUCT_STOP_MS, `--stop-ms`: milliseconds to drain before Request::stop() fires; 30000.
/// - VIADUCT_SEND_FILE, `--send-file`: how Response::send_file() answers: off, x-accel-redirect or
///   x-sendfile; off.
/// - VIADUCT_FIBER_STACK, `--fiber-stack`: bytes of a fiber's stack, 32 KiB to 64 MiB; 262144.
/// - VIADUCT_FIBER_WATCHDOG_MS, `--fiber-watchdog-ms`: milliseconds that a fiber may hold up its
///   loop before that is logged with its stack; 1000, 0 for never.
/// - VIADUCT_REQUEST_ID_FROM, `--request-id-from`: where Request::id() comes from.
/// - VIADUCT_TRUSTED, `--trusted`: proxies in front of `--http` whose word about the client is
///   believed: addresses, networks (`10.0.0.0/8`), and for a Unix socket `uid:NAME` and `gid:NAME`,
///   separated by commas; nobody.
/// - VIADUCT_FORWARDED, `--forwarded`: the one field in which these name the client:
///   x-forwarded-for, forwarded (RFC 7239) or none. Needed with VIADUCT_TRUSTED.
/// - VIADUCT_FORWARDED_HOST, _PROTO, _PORT (true), `--forwarded-host`, `--forwarded-proto`,
///   `--forwarded-port`: they also say host, scheme and port.
///
/// Over HTTP, Request::remote_addr(), scheme() and host() are what the connection says, unless a
/// trusted proxy says more; so are Secure cookies, HSTS, csrf() and rate_limit(), which go by them.
/// Request::headers() has none of Forwarded,
/// X-Forwarded-{For,Proto,Host,Port,Server,By,Scheme,Ssl}, X-Real-IP and Front-End-Https there.
/// Behind FastCGI, SCGI and uwsgi the web server says all this.
///
/// VIADUCT_APP and VIADUCT_WORKER, by which viaductd names app and process, are there to be read.
/// `--help` lists all options, those of App::option() included.
///
/// SIGTERM drains: no new connections, requests in flight are finished, then on_shutdown. A second
/// one ends the process at once. Where run() listens itself, on an address given, both hold from
/// before it does; one that comes during on_startup takes effect behind it. Call it once, from the
/// main thread, before other threads run.
VIADUCT_API int run(int argc, char** argv, App& app);

}  // namespace v1
}  // namespace viaduct
