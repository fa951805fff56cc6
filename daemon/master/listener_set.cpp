#include "daemon/master/listener_set.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace viaduct::daemon::master {

namespace {

using config::Address;
using config::ListenerSettings;

ListenerOptions options_of(const ListenerSettings& listener) {
  return {listener.uid, listener.gid, listener.mode, listener.backlog};
}

std::string key_of(std::size_t index) {
  return "listeners[" + std::to_string(index) + "]: ";
}

ListenerSocket make(const ListenerSettings& listener, InheritedSockets& inherited) {
  if (listener.address.kind != Address::Kind::systemd) {
    auto stored = inherited.take_stored(listener.address);
    if (stored.reached) {
      auto socket = ListenerSocket::take_over(std::move(stored.reached), listener.address, true);
      socket.apply(options_of(listener));
      return socket;
    }
    auto socket = ListenerSocket::open(listener.address, options_of(listener));
    socket.keep_former(std::move(stored.former));
    return socket;
  }
  UniqueFd descriptor = inherited.take(listener.address.name);
  if (!descriptor) {
    throw ListenerError(format(listener.address) +
                        ": no inherited descriptor has this name (LISTEN_FDNAMES)");
  }
  return ListenerSocket::inherit(std::move(descriptor), listener.address);
}

[[noreturn]] void fail_unnamed(const std::string& name) {
  throw ListenerError("systemd:" + name + ": inherited, but no listener names it");
}

}  // namespace

ListenerSet ListenerSet::open(const std::vector<ListenerSettings>& listeners,
                              InheritedSockets& inherited, const ListenerSet& previous) {
  ListenerSet set;
  try {
    for (std::size_t i = 0; i < listeners.size(); ++i) {
      auto socket = previous.find_unused(listeners[i].address, set);
      try {
        if (!socket) {
          socket = std::make_shared<ListenerSocket>(make(listeners[i], inherited));
        }
      } catch (const ListenerError& error) {
        throw ListenerError(key_of(i) + error.what(), error.error());
      }
      set.sockets_.push_back(std::move(socket));
    }
    if (const auto left = inherited.left(); !left.empty()) fail_unnamed(left.front());
    for (const auto& socket : previous.sockets_) {
      const bool dropped = !set.contains(socket);
      if (dropped && socket->address().kind == Address::Kind::systemd) {
        fail_unnamed(socket->address().name);
      }
    }
  } catch (...) {
    set.unlink_except(previous);
    throw;
  }
  return set;
}

std::vector<int> ListenerSet::descriptors() const {
  std::vector<int> result;
  for (const auto& socket : sockets_) result.push_back(socket->descriptor());
  return result;
}

std::vector<std::string> ListenerSet::reopened_since(const ListenerSet& previous) const {
  std::vector<std::string> addresses;
  for (const auto& socket : sockets_) {
    const auto same_address = [&socket](const auto& old) {
      return old->address() == socket->address();
    };
    const auto& old = previous.sockets_;
    const bool known = std::any_of(old.begin(), old.end(), same_address);
    if (known && !previous.contains(socket)) addresses.push_back(format(socket->address()));
  }
  return addresses;
}

void ListenerSet::apply(const std::vector<ListenerSettings>& listeners) {
  std::string failures;
  int first = 0;
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    try {
      sockets_[i]->apply(options_of(listeners[i]));
    } catch (const ListenerError& error) {
      if (failures.empty()) first = error.error();
      failures += (failures.empty() ? "" : "; ") + key_of(i) + error.what();
    }
  }
  if (!failures.empty()) throw ListenerError(failures, first);
}

std::vector<ListenerRepair> ListenerSet::repair() {
  std::vector<ListenerRepair> repairs;
  for (const auto& socket : sockets_) {
    if (auto repair = socket->repair()) repairs.push_back(std::move(*repair));
  }
  return repairs;
}

void ListenerSet::reset_options() noexcept {
  for (const auto& socket : sockets_) socket->reset_options();
}

void ListenerSet::unlink_except(const ListenerSet& successor) {
  for (const auto& socket : sockets_) {
    if (!successor.contains(socket)) socket->unlink();
  }
}

bool ListenerSet::contains(const std::shared_ptr<ListenerSocket>& socket) const {
  return std::find(sockets_.begin(), sockets_.end(), socket) != sockets_.end();
}

std::shared_ptr<ListenerSocket> ListenerSet::find_unused(const Address& address,
                                                         const ListenerSet& user) const {
  for (const auto& socket : sockets_) {
    const bool free = socket->address() == address && !user.contains(socket);
    if (free && socket->in_place()) return socket;
  }
  return nullptr;
}

}  // namespace viaduct::daemon::master
