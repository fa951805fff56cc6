#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/bridge/link/plain_links.hpp"
#include "daemon/bridge/link/prefetch.hpp"
#include "daemon/bridge/link/worker.hpp"

namespace viaduct::daemon::bridge {

/// A worker that viaductd has started.
///
///     asking --values--> multiplexed: ready while the link is open; a lost one is made again
///                    \-> plain: ready while a slot is free
///
/// Connections to a plain one are kept (PlainLinks) unless somebody else waits for the worker,
/// another thread or another bridge: it serves one connection at a time, and an idle one would shut
/// them out.
class ProcessWorker final : public Worker {
 public:
  ProcessWorker(Reactor& reactor, WorkerOwner& owner, std::shared_ptr<WorkerInfo> info);
  ~ProcessWorker() override;

  /// Connects and asks. The first thread does so for every worker, others for those that multiplex.
  void ask();
  /// Makes it usable without a first question: a plain worker that another thread asked, or one
  /// that must never be asked (`may_ask` false).
  void assume_plain(bool may_ask) {
    asked_ = true;
    may_ask_ = may_ask;
  }

  [[nodiscard]] std::uint32_t slots() const override;
  [[nodiscard]] bool has_slot() const override;
  [[nodiscard]] Taking taking() const override;
  std::optional<Carried> begin(const Request& request) override;
  void abort(const Carried& carried, Clock::time_point deadline) override;
  void announce_draining() override;
  void die() override;
  void keep_connections(bool keep) override;
  std::optional<std::string> tick(Clock::time_point now,
                                  std::chrono::milliseconds patience) override;
  [[nodiscard]] bool wants_tick() const override;

  void on_values(Link& link, const protocol::fastcgi::Values& values) override;
  void on_request_end(Link& link, Clock::duration taken) override;
  void on_closed(Link& link, std::size_t active, std::size_t lost,
                 const std::string& reason) override;

 private:
  std::shared_ptr<Link> connect();
  std::optional<Carried> begin_plain(const Request& request);
  void take_back_unread(Clock::time_point now);
  void set_broken(bool broken);
  void drop(const Link& link);

  bool asked_;  // it has answered, to whichever thread, or needs no question
  bool may_ask_ = true;
  bool dead_ = false;
  bool keep_links_ = false;
  bool window_known_ = false;  // the multiplexed link has been answered
  bool broken_ = false;        // the multiplexed link was lost; counted in WorkerInfo

  Prefetch prefetch_;
  std::shared_ptr<Link> link_;  // the multiplexed one, or the one that asks
  PlainLinks plain_;
  std::size_t recovering_ = 0;  // slots of plain requests that were aborted or taken back
  Clock::time_point recover_by_{};
  Clock::time_point retry_at_{};
  Clock::time_point asked_at_{};  // of a question without an answer yet; epoch: none
  Clock::time_point heard_at_{};
  unsigned failures_ = 0;  // to connect, one after the other
};

}  // namespace viaduct::daemon::bridge
