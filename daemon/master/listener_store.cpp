#include "daemon/master/listener_store.hpp"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "daemon/channel/hand_over.hpp"

namespace viaduct::daemon::master {

namespace {

constexpr std::uint64_t kUnknown = 0;  // the identity of no socket

std::uint64_t identity_of(int descriptor) {
  try {
    return channel::socket_identity(descriptor);
  } catch (const std::system_error&) {
    return kUnknown;
  }
}

StoreContent content_of(const ListenerSet& listeners) {
  StoreContent content;
  for (const auto& socket : listeners.sockets()) {
    if (socket->made()) content[store_name(socket->address())] = identity_of(socket->descriptor());
  }
  return content;
}

void discard(UniqueFd descriptor) {
  const std::string path = bound_path(descriptor.get());
  const config::Address address{config::Address::Kind::unix_path, path, 0};
  if (path.empty() || !is_reached_at(descriptor.get(), address)) return;
  ListenerSocket::take_over(std::move(descriptor), address, true).unlink();
}

}  // namespace

void ListenerStore::begin_with(const InheritedSockets& inherited) {
  inherited.for_each_stored([this](const std::string& name, int descriptor) {
    const auto [entry, is_new] = content_.emplace(name, identity_of(descriptor));
    // One name is forgotten as a whole.
    if (!is_new) entry->second = kUnknown;
  });
}

void ListenerStore::begin_with(const ListenerSet& predecessor) {
  // An older version has stored nothing.
  for (const auto& [name, socket] : content_of(predecessor)) content_[name] = kUnknown;
}

void ListenerStore::update(const ListenerSet& listeners, InheritedSockets& inherited) {
  become(enabled() ? content_of(listeners) : StoreContent{}, listeners);
  for (InheritedSockets::Entry& entry : inherited.take_stored()) {
    discard(std::move(entry.descriptor));
  }
}

void ListenerStore::clear() {
  become({}, {});
}

void ListenerStore::become(const StoreContent& content, const ListenerSet& listeners) {
  const StoreChanges changes = store_changes(content_, content);
  for (const std::string& name : changes.forget) notifier_.forget(name);
  for (const auto& socket : listeners.sockets()) {
    const std::string name = store_name(socket->address());
    const bool is_new = socket->made() && std::find(changes.store.begin(), changes.store.end(),
                                                    name) != changes.store.end();
    if (is_new) notifier_.store(name, socket->descriptor());
  }
  content_ = content;
}

}  // namespace viaduct::daemon::master
