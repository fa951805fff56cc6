#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/bridge/names/resolver.hpp"
#include "daemon/bridge/names/server_names.hpp"
#include "daemon/bridge/reactor.hpp"

namespace viaduct::daemon::bridge {

/// Looks up a server's name, again and again, for as long as it lives.
class NameWatch : public std::enable_shared_from_this<NameWatch> {
 public:
  /// Is told of every answer, also of those that change nothing. May not destroy the watch.
  using Changed = std::function<void(const ServerNames::Change&)>;

  /// `reactor` and `resolver` outlive it.
  NameWatch(Reactor& reactor, Resolver& resolver, std::string name, Changed changed);

  /// Asks now. To be called once.
  void start() { ask(); }

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  void ask();
  void answered(const Resolution& resolution);

  Reactor& reactor_;
  Resolver& resolver_;
  std::string name_;
  Changed changed_;
  ServerNames names_;
  Reactor::Timer timer_;
  std::shared_ptr<Lookup> lookup_;
};

}  // namespace viaduct::daemon::bridge
