#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <viaduct/viaduct.hpp>

#include "sdk/src/runtime/server.hpp"
#include "sdk/src/runtime/sockets.hpp"

namespace viaduct::test {

/// An app that is served by threads of this process until the object goes.
class Serving {
 public:
  Serving(const App& app, detail::ServerOptions options,
          detail::Listener::Protocol protocol = detail::Listener::Protocol::fastcgi)
      : server_(app, options) {
    static std::atomic<int> count{0};
    address_ = "unix:@viaduct-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
    server_.listen(detail::listen_on(address_).fd, protocol);
    thread_ = std::thread([this] {
      server_.run();
      done_ = true;
    });
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving() {
    server_.drain();
    thread_.join();
  }

  [[nodiscard]] const std::string& address() const { return address_; }
  void drain() { server_.drain(); }
  /// Whether run() has returned, within `patience`.
  [[nodiscard]] bool returns(std::chrono::milliseconds patience) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!done_ && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return done_;
  }

 private:
  detail::Server server_;
  std::string address_;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

/// Something that one thread waits for and another one says.
class Flag {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool wait(std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [this] { return set_; });
  }
  [[nodiscard]] bool is_set() {
    const std::lock_guard lock(mutex_);
    return set_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

}  // namespace viaduct::test
