#include "sdk/src/runtime/server.hpp"

#include <csignal>
#include <optional>

#include <boost/asio/post.hpp>

#include "sdk/src/app_settings.hpp"
#include "sdk/src/runtime/fiber_executor.hpp"
#include "sdk/src/runtime/readiness.hpp"
#include "sdk/src/runtime/thread_executor.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

Server::Server(const App& app, const ServerOptions& options)
    : settings_(AppAccess::settings(app)),
      dispatcher_(app, options.file_delivery),
      engine_({.limit = options.limit,
               .model = options.model == Model::fibers ? "fibers" : "threads",
               .stop_time = options.stop_time,
               .request_ids = options.request_ids,
               .clients = options.clients,
               .client_source = options.client_source,
               .ready = !AppAccess::settings(app).readiness}),
      signals_(engine_.io()) {
  auto on_thread_start = [&app] {
    for (const auto& hook : AppAccess::settings(app).on_thread_start) {
      call_hook("on_thread_start", hook);
    }
  };
  if (options.model == Model::fibers) {
    executor_ = std::make_unique<FiberExecutor>(engine_, dispatcher_, std::move(on_thread_start),
                                                options.fibers);
  } else {
    executor_ = std::make_unique<ThreadExecutor>(engine_, dispatcher_, std::move(on_thread_start));
  }
}

Server::~Server() = default;

bool Server::wait_until_idle(std::chrono::steady_clock::time_point until) {
  return engine_.wait_until_idle(until);
}

void Server::listen(int fd, Listener::Protocol protocol, std::vector<std::string> peers) {
  engine_.add_listener(Listener(engine_.io(), fd, protocol, std::move(peers)));
}

void Server::serve_connection(int fd, Listener::Protocol protocol) {
  engine_.add_connection(fd, protocol);
}

void Server::handle_signals() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  await_signal();
}

void Server::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    if (engine_.draining()) {
      std::signal(number, SIG_DFL);
      std::raise(number);
    }
    await_signal();
    engine_.drain();
  });
}

void Server::run() {
  std::optional<Readiness> readiness;
  if (settings_.readiness) {
    readiness.emplace(settings_.readiness, [this] {
      boost::asio::post(engine_.io(), [this] { engine_.become_ready(); });
    });
  }
  executor_->run();
}

// Accepting and closing belong to the thread that performs input and output.
void Server::drain() {
  boost::asio::post(engine_.io(), [this] { engine_.drain(); });
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
