#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "daemon/bridge/access_log.hpp"
#include "daemon/bridge/dispatch/dispatcher.hpp"
#include "daemon/bridge/dispatch/exchange_list.hpp"
#include "daemon/bridge/front/listener.hpp"
#include "daemon/bridge/memory/relief.hpp"
#include "daemon/bridge/reactor.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/bridge_settings.hpp"

namespace viaduct::daemon::bridge {

/// One thread of the bridge with all that runs on it: a reactor, every listener, every app.
class Thread {
 public:
  /// `settings`, `apps`, `log`, `scores` and `use` are shared by all threads and outlive this
  /// one. `listeners`: descriptors of the listening sockets, duplicated here.
  Thread(unsigned index, const config::BridgeSettings& settings,
         std::vector<std::unique_ptr<SharedApp>>& apps, const log::Log& log, Scoreboard& scores,
         ProcessUse& use, WorkerReports& reports, const std::vector<int>& listeners);
  ~Thread();

  [[nodiscard]] Reactor& reactor() { return reactor_; }
  [[nodiscard]] Dispatcher& app(std::uint32_t index) { return *dispatchers_[index]; }
  /// As ExchangeList::list.
  void list_requests(std::uint32_t app, std::size_t stacks, StackQuery::Done done) {
    exchanges_.list(*dispatchers_[app], stacks, std::move(done));
  }
  [[nodiscard]] std::size_t apps() const { return dispatchers_.size(); }
  [[nodiscard]] AccessLog& access_log() { return access_log_; }

  /// Runs the loop until stop(); `on_tick` is called with every tick of it.
  void run(std::function<void()> on_tick);
  void stop() { reactor_.stop(); }
  /// Looks at all time-outs, as run() does again and again; within an event of the reactor. Whether
  /// there is something to look at soon.
  bool tick();

  void accept();
  /// A listener, by its index in the settings, gets another socket.
  void replace_listener(std::size_t index, UniqueFd socket);
  /// As Worker::keep_connections, for all apps.
  void keep_connections(bool keep);
  /// Goes on with a predecessor's front connection; `listener` is the channel::socket_identity() of
  /// the listening socket that it came from.
  void adopt(std::uint64_t listener, UniqueFd connection);
  /// Stops accepting; see ConnectionList::drain.
  void drain(ConnectionList::HandOver hand_over);
  /// Draining, with nothing left to serve.
  [[nodiscard]] bool drained() const;

 private:
  [[nodiscard]] bool unready_workers() const;
  void add_listener(const config::BridgeSettings& settings, std::uint32_t index, int descriptor);

  Reactor reactor_;
  ExchangeList exchanges_;
  AccessLog access_log_;
  Services services_;
  std::vector<std::unique_ptr<Dispatcher>> dispatchers_;
  std::vector<std::unique_ptr<Front>> fronts_;
  ConnectionList connections_;
  Relief relief_;
  Reserve reserve_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::function<void()> on_tick_;
  bool draining_ = false;
};

}  // namespace viaduct::daemon::bridge
