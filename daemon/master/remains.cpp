#include "daemon/master/remains.hpp"

#include <utility>

#include "daemon/master/cgroup_tree.hpp"

namespace viaduct::daemon::master {

Remains::Remains(boost::asio::io_context& io, CgroupTree& cgroups) : io_(io), cgroups_(cgroups) {}

Remains::~Remains() {
  for (const auto& waiting : waiting_) cgroups_.remove(waiting.first);
}

void Remains::add(std::string name, std::chrono::milliseconds grace) {
  if (cgroups_.remove_empty(name)) return;
  boost::asio::steady_timer& timer = waiting_.emplace(name, io_).first->second;
  if (grace.count() == 0) return;
  timer.expires_after(grace);
  timer.async_wait([this, name = std::move(name)](const boost::system::error_code& error) {
    if (!error) expired(name);
  });
}

// It may have become empty after the timer had expired, and before this is called.
void Remains::expired(const std::string& name) {
  if (waiting_.erase(name) != 0) cgroups_.remove(name);
}

void Remains::look() {
  cgroups_.sweep();
  std::erase_if(waiting_,
                [this](const auto& waiting) { return cgroups_.remove_empty(waiting.first); });
}

}  // namespace viaduct::daemon::master
