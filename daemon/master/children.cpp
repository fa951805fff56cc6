#include "daemon/master/children.hpp"

#include <signal.h>

#include <utility>

#include "daemon/master/process.hpp"

namespace viaduct::daemon::master {

Children::Children(boost::asio::io_context& io)
    : signals_(io, SIGCHLD), orphans_([this](pid_t pid) { return is_ours(pid); }) {
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
    reap_all();
    wait();
  });
}

void Children::reap_all() {
  while (const auto exit = reap([this](pid_t pid) { return is_ours(pid); })) {
    auto node = handlers_.extract(exit->pid);
    if (!node.empty()) {
      node.mapped()(exit->status);
    } else if (forgotten_.erase(exit->pid) == 0) {
      orphans_.orphan_ended(exit->pid, Orphans::Clock::now());
      if (look_) look_();
    }
  }
}

}  // namespace viaduct::daemon::master
