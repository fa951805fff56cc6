#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/bridge/link/connection_room.hpp"
#include "daemon/bridge/link/plain_links.hpp"
#include "daemon/bridge/link/worker.hpp"

namespace viaduct::daemon::bridge {

/// A server of `connect`, which others run.
///
/// Each request gets a connection of its own, some of which are kept with `keepalive` (PlainLinks).
/// With `multiplex: auto` each thread asks, on a connection made for that, whether the server can
/// take many requests on one: from the answer on they go there. It takes more than flow control
/// (VIADUCT_WINDOW) for that: without, one slow client would block all of them.
///
/// One that does not accept a connection gets no requests from this thread for a moment
/// (reconnect_delay), those that were meant for it being undelivered; one that fails repeatedly
/// none from any thread while there are others (ServerHealth), and less than it takes when it has
/// come up again while another one serves. A request that it was told to abort
/// frees its slot at once: others work on what follows.
class Server final : public Worker {
 public:
  Server(Reactor& reactor, WorkerOwner& owner, std::shared_ptr<WorkerInfo> info);
  ~Server() override;

  [[nodiscard]] std::uint32_t slots() const override;
  [[nodiscard]] bool has_slot() const override;
  [[nodiscard]] Taking taking() const override;
  [[nodiscard]] bool up() const override { return server().health.up(); }
  [[nodiscard]] bool rising() const override;
  [[nodiscard]] std::uint64_t load() const override;
  std::optional<Carried> begin(const Request& request) override;
  void abort(const Carried& carried, Clock::time_point deadline) override;
  void on_timeout() override;
  void on_answering(std::uint64_t head) override;
  bool on_request_lost(const Link& link, const LostRequest& lost) override;
  void announce_draining() override;
  void die() override;
  std::optional<std::string> tick(Clock::time_point now,
                                  std::chrono::milliseconds patience) override;
  [[nodiscard]] bool wants_tick() const override;

  void on_values(Link& link, const protocol::fastcgi::Values& values) override;
  void on_request_end(Link& link, Clock::duration taken) override;
  void on_closed(Link& link, std::size_t active, std::size_t lost,
                 const std::string& reason) override;

 private:
  [[nodiscard]] ServerInfo& server() { return *info_->server; }
  [[nodiscard]] const ServerInfo& server() const { return *info_->server; }
  [[nodiscard]] bool ending() const;
  std::shared_ptr<Link> connect();
  std::optional<Carried> begin_plain(const Request& request);
  [[nodiscard]] std::size_t connection_limit() const;
  void make_room();
  void tick_kept(Clock::time_point now);
  void fail(ServerHealth::Failure failure, const std::string& why);
  void connect_failed(const std::string& why);
  void link_closed(std::size_t lost, bool delivered, const std::string& reason);
  void plain_closed(const Link& link, bool stale, std::size_t lost, const std::string& reason);
  [[nodiscard]] bool slow_to_connect(const Link& link, Clock::time_point now) const;
  void tick_link(Clock::time_point now, std::chrono::milliseconds patience);
  void tick_health(Clock::time_point now);
  void look_after_check(Clock::time_point now);
  void ask();

  bool dead_ = false;
  bool draining_ = false;  // this bridge is
  PlainLinks plain_;
  ConnectionRoom room_;
  Clock::rep starved_at_ = 0;  // as this thread last stored it in ServerInfo
  Clock::time_point retry_at_{};
  unsigned failures_ = 0;      // to connect, one after the other
  std::optional<Blame> lost_;  // the worst of what was lost with the link that is being closed

  std::shared_ptr<Link> link_;  // the multiplexed one, or the one that asks whether it may be
  bool multiplexed_ = false;
  bool threads_ = false;          // likewise, see Taking
  std::uint32_t capacity_ = 0;    // of the multiplexed one
  Clock::time_point ask_at_{};    // there is no link_ before
  Clock::time_point asked_at_{};  // of a question without an answer yet; epoch: none
  Clock::time_point heard_at_{};

  std::shared_ptr<Link> check_;  // an attempt to connect, made for that alone
  Clock::time_point check_at_{};
};

}  // namespace viaduct::daemon::bridge
