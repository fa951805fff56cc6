#include "daemon/master/children.hpp"

#include <signal.h>

#include <chrono>
#include <utility>

#include "daemon/master/process.hpp"

namespace viaduct::daemon::master {

namespace {

// Others on the event loop have their turn then: a worker may leave processes that end in
// thousands.
constexpr int kReapedPerTurn = 256;

}  // namespace

Children::Children(boost::asio::io_context& io)
    : signals_(io, SIGCHLD), soon_(io), orphans_([this](pid_t pid) { return is_ours(pid); }) {
  wait();
}

void Children::watch(pid_t pid, Handler handler) {
  handlers_[pid] = std::move(handler);
}

void Children::forget(pid_t pid) {
  if (handlers_.erase(pid) > 0) forgotten_.insert(pid);
}

void Children::worker_ended(pid_t pid, std::uint64_t serial) {
  orphans_.worker_ended(pid, serial, Orphans::Clock::now());
  reap_soon();
}

void Children::end_orphans() {
  orphans_.end();
}

bool Children::is_ours(pid_t pid) const {
  return handlers_.contains(pid) || forgotten_.contains(pid);
}

void Children::wait() {
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    reap_some();
    wait();
  });
}

void Children::reap_soon() {
  soon_.expires_after(std::chrono::seconds(0));
  soon_.async_wait([this](const boost::system::error_code& error) {
    if (!error) reap_some();
  });
}

// However many have ended, one look is taken at what they leave.
void Children::reap_some() {
  bool orphan = false;
  int reaped = 0;
  while (reaped < kReapedPerTurn && reap_next(orphan)) ++reaped;
  soon_.cancel();
  if (orphan && look_) look_();
  const bool unjudged = orphans_.look(Orphans::Clock::now());
  if (unjudged || reaped == kReapedPerTurn) reap_soon();
}

bool Children::reap_next(bool& orphan) {
  const auto exit = reap([this](pid_t pid) { return is_ours(pid); });
  if (!exit) return false;
  auto node = handlers_.extract(exit->pid);
  if (!node.empty()) {
    node.mapped()(exit->status);
  } else if (forgotten_.erase(exit->pid) == 0) {
    orphans_.orphan_ended(exit->pid);
    orphan = true;
  }
  return true;
}

}  // namespace viaduct::daemon::master
