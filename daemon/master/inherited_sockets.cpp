#include "daemon/master/inherited_sockets.hpp"

#include <cstdlib>
#include <system_error>
#include <utility>

#include <systemd/sd-daemon.h>

namespace viaduct::daemon::master {

InheritedSockets InheritedSockets::from_environment() {
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(1, &names);
  if (count < 0) throw std::system_error(-count, std::generic_category(), "LISTEN_FDS");
  std::vector<Entry> entries;
  for (int i = 0; i < count; ++i) {
    entries.push_back({names[i], UniqueFd(SD_LISTEN_FDS_START + i)});
    std::free(names[i]);
  }
  std::free(names);
  return InheritedSockets(std::move(entries));
}

UniqueFd InheritedSockets::take(const std::string& name) {
  for (Entry& entry : entries_) {
    if (entry.descriptor && entry.name == name) return std::move(entry.descriptor);
  }
  return {};
}

std::vector<std::string> InheritedSockets::left() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) {
    if (entry.descriptor && !is_store_name(entry.name)) names.push_back(entry.name);
  }
  return names;
}

InheritedSockets::Stored InheritedSockets::take_stored(const config::Address& address) {
  const std::string name = store_name(address);
  Stored stored;
  while (UniqueFd descriptor = take(name)) {
    if (is_reached_at(descriptor.get(), address)) {
      stored.reached = std::move(descriptor);
    } else if (is_listening_at(descriptor.get(), address)) {
      stored.former = std::move(descriptor);
    }
  }
  return stored;
}

std::vector<InheritedSockets::Entry> InheritedSockets::take_stored() {
  std::vector<Entry> taken;
  for (Entry& entry : entries_) {
    if (entry.descriptor && is_store_name(entry.name)) taken.push_back(std::move(entry));
  }
  return taken;
}

}  // namespace viaduct::daemon::master
