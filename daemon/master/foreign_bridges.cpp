#include "daemon/master/foreign_bridges.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace viaduct::daemon::master {

BridgeHandle handle_of_child(pid_t pid) {
  return {pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))};
}

ForeignBridges::ForeignBridges(boost::asio::io_context& io, std::function<void(pid_t)> ended)
    : io_(io), ended_(std::move(ended)) {}

void ForeignBridges::add(BridgeHandle bridge) {
  if (!bridge.process) return ended_(bridge.pid);
  if (bridges_.size() == kMax) return;
  auto watched = std::make_unique<Bridge>(io_);
  boost::system::error_code error;
  watched->process.assign(bridge.process.get(), error);
  if (error) return;
  (void)bridge.process.release();
  const pid_t pid = bridge.pid;
  // A pidfd is readable once the process has ended. The wait is cancelled with the descriptor.
  watched->process.async_wait(boost::asio::posix::descriptor_base::wait_read,
                              [this, pid](const boost::system::error_code& cancelled) {
                                if (cancelled) return;
                                bridges_.erase(pid);
                                ended_(pid);
                              });
  bridges_.insert_or_assign(pid, std::move(watched));
}

bool ForeignBridges::kill(pid_t pid) {
  const auto found = bridges_.find(pid);
  if (found == bridges_.end() || std::exchange(found->second->killed, true)) return false;
  ::syscall(SYS_pidfd_send_signal, found->second->process.native_handle(), SIGKILL, nullptr, 0);
  return true;
}

void ForeignBridges::kill_all() {
  for (const auto& [pid, bridge] : bridges_) kill(pid);
}

std::vector<BridgeHandle> ForeignBridges::handles() const {
  std::vector<BridgeHandle> copies;
  for (const auto& [pid, bridge] : bridges_) {
    UniqueFd copy(::fcntl(bridge->process.native_handle(), F_DUPFD_CLOEXEC, 0));
    if (copy) copies.push_back({pid, std::move(copy)});
  }
  return copies;
}

}  // namespace viaduct::daemon::master
