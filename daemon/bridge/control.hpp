#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/bridge/dispatch/poison_guard.hpp"
#include "daemon/bridge/memory/footprint.hpp"
#include "daemon/bridge/names/name_watch.hpp"
#include "daemon/bridge/outbox.hpp"
#include "daemon/bridge/thread.hpp"
#include "daemon/channel/background_closer.hpp"
#include "daemon/channel/channel.hpp"
#include "daemon/channel/hand_over.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/bridge_settings.hpp"
#include "daemon/log/log.hpp"

namespace viaduct::daemon::bridge {

/// The bridge as a whole: its threads, and the conversation with the master and, while one
/// generation follows another, with the predecessor and the successor. Runs on the first thread's
/// reactor, but for the reports of dispatchers, which come from any.
class Control final : public WorkerReports {
 public:
  /// `settings`, `log` and `scores` outlive it; `channel` and `reports`, the socket from the master
  /// and the pipe to it, are owned.
  Control(const config::BridgeSettings& settings, log::Log& log, Scoreboard& scores, int channel,
          int reports, const std::vector<int>& listeners);
  ~Control();

  /// Runs all threads until the bridge is drained or the master is gone.
  void run();

  void answered(const std::shared_ptr<WorkerInfo>& info) override;
  void replace(const WorkerInfo& info, std::string_view reason) override;
  void idle(const WorkerInfo& info) override;
  void unserved(std::uint32_t app) override;
  void wake_others(std::uint32_t app) override;
  void crashed(const WorkerInfo& info, std::vector<Suspect> suspects) override;
  void cleared(std::uint32_t app, std::uint64_t worker, std::string route) override;
  void server_changed(const std::shared_ptr<WorkerInfo>& info, std::string_view why) override;

 private:
  std::vector<std::unique_ptr<Thread>> make_threads(Scoreboard& scores,
                                                    const std::vector<int>& listeners);
  void await(Reactor::Descriptor& socket, void (Control::*receive)());
  void receive_master();
  void receive_predecessor();
  void adopt(channel::HandedOver handed);
  void refuse(UniqueFd connection);
  void leave_predecessor(std::string_view why);
  void handle(const channel::Received& received);
  void replace_listener(std::size_t index, UniqueFd socket);
  void add_worker(const channel::Message& message);
  /// An address of `connect` that is a name, and the servers that it stands for now.
  struct Named {
    std::uint32_t app = 0;
    std::uint32_t place = 0;  // in `connect`
    std::shared_ptr<NameWatch> watch;
    std::map<IpAddress, std::shared_ptr<WorkerInfo>> servers;
  };
  void add_servers();
  std::unique_ptr<ServerInfo> server_info(const config::BridgeApp& app, std::string name) const;
  std::shared_ptr<WorkerInfo> add_server(std::uint32_t app, std::uint32_t place, std::string name,
                                         const Destination& address);
  void watch_name(std::uint32_t app, std::uint32_t place);
  void name_changed(Named& named, const ServerNames::Change& change);
  void log_name(const Named& named, const ServerNames::Change& change);
  void look_at_resolv_conf();
  void drain_server(const std::shared_ptr<WorkerInfo>& info);
  void remove_idle_servers();
  void take_log(const channel::Message& message, UniqueFd descriptor);
  void drain(int successor);
  void share_plain_workers();
  void remove_worker(const channel::Message& message, UniqueFd memory);
  void judge(std::uint32_t app, std::uint64_t worker);
  void close_route(std::uint32_t app, const PoisonGuard::Closing& closing);
  void open_routes();
  void tick();
  void stop_all();
  void report();
  void report_requests();
  void report_servers();
  void report_load(std::uint32_t app, std::uint32_t busy);
  std::vector<std::uint32_t> busy_by_app() const;
  void send(channel::Message message);
  void list_requests(const channel::Message& question, UniqueFd memory);
  void send_requests(channel::Message answer, const UniqueFd& memory,
                     std::vector<RequestListing> parts);
  void report_lost(const channel::Message& dead, const UniqueFd& memory,
                   std::vector<channel::LostRequests> parts);
  /// Asks every thread for its part, which it gives at once or later, then calls `done` on the
  /// first one with all of them, in the order of the threads.
  template <class Part>
  void gather(std::function<void(Thread&, std::function<void(Part)>)> ask,
              std::function<void(std::vector<Part>)> done);
  void on_every_thread(const std::function<void(Thread&)>& work);

  const config::BridgeSettings& settings_;
  log::Log& log_;
  Footprint footprint_;
  ProcessUse use_;
  std::vector<std::unique_ptr<SharedApp>> apps_;
  std::vector<PoisonGuard> guards_;  // by app
  std::deque<log::Log> logs_;        // of apps that have their own, and slow logs
  std::vector<std::unique_ptr<Thread>> threads_;
  Reactor::Descriptor channel_;
  Reactor::Descriptor predecessor_;
  int successor_ = -1;
  Outbox outbox_;
  std::vector<channel::Listening> listening_;
  channel::BackgroundCloser closer_;
  channel::BackgroundCloser hand_over_closer_;  // which waits for no connection
  struct Known {
    std::shared_ptr<WorkerInfo> info;
    bool shared = false;         // the master knows that it is ready
    std::uint64_t reported = 0;  // of its requests
  };
  std::unordered_map<std::uint64_t, Known> known_;  // by serial: all workers that are not dead
  struct KnownServer {
    std::shared_ptr<WorkerInfo> info;
    std::string failure{};  // why it is down
    // As the master was told.
    bool told = false;
    bool up = true;
    std::uint32_t active = 0;
    std::uint64_t requests = 0;
  };
  std::unordered_map<std::uint64_t, KnownServer> servers_;  // by serial
  std::unique_ptr<Resolver> resolver_;                      // null: no server has a name
  bool resolv_conf_reported_ = false;
  std::deque<Named> named_;
  std::uint64_t next_server_ = 0;
  std::vector<std::shared_ptr<WorkerInfo>> draining_servers_;  // as all threads know
  std::vector<channel::Message> loads_;                        // as last reported, by app
  Clock::time_point reported_at_{};
  std::size_t next_adopter_ = 0;
  std::atomic<std::size_t> adopting_ = 0;  // connections on their way to their thread
  std::vector<std::atomic<bool>> drained_;
  bool accepting_ = false;
  bool draining_ = false;
  std::atomic<bool> stopped_ = false;
};

}  // namespace viaduct::daemon::bridge
