#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/signal_set.hpp>
#include <viaduct/app.hpp>
#include <viaduct/export.hpp>

#include "sdk/src/app_settings.hpp"
#include "sdk/src/dispatcher.hpp"
#include "sdk/src/runtime/client_source.hpp"
#include "sdk/src/runtime/engine.hpp"
#include "sdk/src/runtime/executor.hpp"
#include "sdk/src/runtime/fiber_options.hpp"
#include "sdk/src/runtime/listener.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

struct ServerOptions {
  Model model = Model::threads;
  std::uint32_t limit = 8;
  std::chrono::milliseconds stop_time{30000};  ///< to drain before stop() fires
  FiberOptions fibers{};
  RequestIds request_ids = RequestIds::usual();
  FileDelivery file_delivery = FileDelivery::self;
  ClientLimits clients{};        ///< of HTTP; where a front server has clients, it has their limits
  ClientSource client_source{};  ///< likewise
};

/// An app, its engine and its executor: what serves requests. Exported from a shared libviaduct for
/// libviaduct_testing.
class VIADUCT_API Server {
 public:
  Server(const App& app, const ServerOptions& options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Takes ownership of `fd`.
  void listen(int fd, Listener::Protocol protocol, std::vector<std::string> peers = {});
  /// Serves a connection, not a listening socket. Takes ownership of `fd`.
  void serve_connection(int fd, Listener::Protocol protocol);
  /// Lets SIGTERM and SIGINT drain; a second one ends the process as if it were not caught.
  void handle_signals();
  /// Serves until drained.
  void run();
  /// From any thread.
  void drain();
  /// As Engine::wait_until_idle.
  [[nodiscard]] bool wait_until_idle(std::chrono::steady_clock::time_point until);

 private:
  void await_signal();

  const AppSettings& settings_;
  Dispatcher dispatcher_;
  Engine engine_;
  boost::asio::signal_set signals_;
  std::unique_ptr<Executor> executor_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
