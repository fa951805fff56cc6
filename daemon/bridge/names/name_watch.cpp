#include "daemon/bridge/names/name_watch.hpp"

#include <utility>

namespace viaduct::daemon::bridge {

NameWatch::NameWatch(Reactor& reactor, Resolver& resolver, std::string name, Changed changed)
    : reactor_(reactor),
      resolver_(resolver),
      name_(std::move(name)),
      changed_(std::move(changed)),
      timer_(reactor.executor()) {}

void NameWatch::ask() {
  const Resolver::Known known{.ipv4 = names_.knows_ipv4(), .ipv6 = names_.knows_ipv6()};
  lookup_ = resolver_.look_up(name_, known, [this](const Resolution& r) { answered(r); });
}

void NameWatch::answered(const Resolution& resolution) {
  const ServerNames::Change change = names_.update(resolution);
  timer_.expires_after(change.ask_again);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || self == nullptr) return;
    Reactor::Event event(self->reactor_);
    self->ask();
  });
  changed_(change);
}

}  // namespace viaduct::daemon::bridge
