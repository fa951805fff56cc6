#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <future>
#include <thread>

#include <viaduct/app.hpp>
#include <viaduct/testing.hpp>

#include "sdk/src/runtime/server.hpp"
#include "sdk/src/testing/reply_builder.hpp"
#include "sdk/src/testing/transport.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {

/// An app that is served by threads of this process, on a loopback port, until the object goes.
class ServedApp {
 public:
  ServedApp(const App& app, Via via);
  ServedApp(const ServedApp&) = delete;
  ServedApp& operator=(const ServedApp&) = delete;
  /// Waits for the requests in hand.
  ~ServedApp();

  /// Sends one request on a connection of its own and receives what there is to receive, until the
  /// response ends or the client leaves; in the latter case until the handler has returned. Throws
  /// std::runtime_error when that takes longer than `limit`, std::system_error without connection,
  /// and what on_thread_start threw.
  void exchange(const Outgoing& request, ReplyBuilder& reply, std::chrono::milliseconds limit);

 private:
  const Via via_;
  detail::Server server_;
  std::uint16_t port_;
  std::promise<std::exception_ptr> failure_;  // why nothing is served
  std::shared_future<std::exception_ptr> failed_ = failure_.get_future().share();
  std::thread thread_;
};

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
