#include "daemon/master/children.hpp"

#include <signal.h>

#include <utility>

#include "daemon/master/process.hpp"

namespace viaduct::daemon::master {

Children::Children(boost::asio::io_context& io) : signals_(io, SIGCHLD) {
  wait();
}

void Children::watch(pid_t pid, Handler handler) {
  handlers_[pid] = std::move(handler);
}

void Children::forget(pid_t pid) {
  handlers_.erase(pid);
}

void Children::wait() {
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    reap_all();
    wait();
  });
}

void Children::reap_all() {
  while (const auto exit = reap()) {
    auto node = handlers_.extract(exit->pid);
    if (!node.empty()) node.mapped()(exit->status);
  }
}

}  // namespace viaduct::daemon::master
