// Servers that others run: one for each address of `connect`, or, where that is a name, for each
// address that the name has at the time.
#include <atomic>
#include <memory>
#include <utility>

#include "daemon/bridge/control.hpp"
#include "daemon/bridge/names/resolv_conf.hpp"
#include "daemon/config/host_name.hpp"

namespace viaduct::daemon::bridge {

namespace {

std::string text_of(const std::vector<IpAddress>& addresses) {
  std::string text;
  for (const IpAddress& address : addresses) {
    if (!text.empty()) text += ' ';
    text += address.to_string();
  }
  return text;
}

}  // namespace

void Control::add_servers() {
  for (std::uint32_t app = 0; app < apps_.size(); ++app) {
    const auto& addresses = settings_.apps[app].connect;
    for (std::uint32_t place = 0; place < addresses.size(); ++place) {
      const config::Address& address = addresses[place];
      if (config::is_host_name(address)) {
        watch_name(app, place);
      } else {
        add_server(app, place, config::format(address), destination_of(address));
      }
    }
  }
}

// The master knows of servers what the bridge says: they have serials that it never uses, and that
// sort as the configuration does, which has at most 1024 apps and as many places in a list.
std::shared_ptr<WorkerInfo> Control::add_server(std::uint32_t app, std::uint32_t place,
                                                std::string name, const Destination& address) {
  constexpr std::uint64_t kServerSerials = std::uint64_t{1} << 63;
  const config::BridgeApp& settings = settings_.apps[app];
  auto info = std::make_shared<WorkerInfo>();
  info->serial =
      kServerSerials | std::uint64_t{app} << 52 | std::uint64_t{place} << 42 | next_server_++;
  info->app = app;
  info->slot = place + 1;
  info->address = address;
  info->capacity = settings.concurrency.limit.value_or(config::kServerConcurrency);
  info->server = server_info(settings, std::move(name));
  servers_.emplace(info->serial, KnownServer{.info = info});
  on_every_thread([info](Thread& t) { t.app(info->app).add(info, false); });
  return info;
}

void Control::watch_name(std::uint32_t app, std::uint32_t place) {
  Reactor& first = threads_.front()->reactor();
  if (resolver_ == nullptr) resolver_ = std::make_unique<Resolver>(first);
  Named& named = named_.emplace_back();
  named.app = app;
  named.place = place;
  named.watch = std::make_shared<NameWatch>(
      first, *resolver_, settings_.apps[app].connect[place].name,
      [this, &named](const ServerNames::Change& change) { name_changed(named, change); });
  named.watch->start();
}

void Control::name_changed(Named& named, const ServerNames::Change& change) {
  log_name(named, change);
  look_at_resolv_conf();
  const config::Address& configured = settings_.apps[named.app].connect[named.place];
  for (const IpAddress& address : change.added) {
    const std::string text = address.to_string();
    named.servers[address] =
        add_server(named.app, named.place, config::format(configured) + " (" + text + ')',
                   destination_of({config::Address::Kind::tcp, text, configured.port}));
  }
  for (const IpAddress& address : change.removed) {
    const auto found = named.servers.find(address);
    if (found == named.servers.end()) continue;
    drain_server(found->second);
    named.servers.erase(found);
  }
}

// After each answer, since the file may come at any time.
void Control::look_at_resolv_conf() {
  if (resolv_conf_reported_) return;
  const auto target = forbidden_resolv_conf();
  if (!target) return;
  resolv_conf_reported_ = true;
  log_.warning(
      "resolv.conf cannot be read, names are looked up without it; if its directory was made after "
      "the bridge began, a reload helps",
      {{"target", *target}});
}

void Control::log_name(const Named& named, const ServerNames::Change& change) {
  const std::string& app = settings_.apps[named.app].name;
  const std::string& name = named.watch->name();
  if (change.failing) {
    log_.warning("name of a server cannot be resolved",
                 {{"app", app}, {"name", name}, {"reason", *change.failing}});
  }
  if (change.resolved_again) {
    log_.info("name of a server is resolved again", {{"app", app}, {"name", name}});
  }
  if (!change.added.empty() || !change.removed.empty()) {
    log_.info("name of a server has other addresses", {{"app", app},
                                                       {"name", name},
                                                       {"added", text_of(change.added)},
                                                       {"removed", text_of(change.removed)}});
  }
  if (!change.unusable.empty()) {
    log_.warning("addresses of a server's name are ignored: nobody can connect to them",
                 {{"app", app}, {"name", name}, {"addresses", text_of(change.unusable)}});
  }
  if (change.left_out > 0) {
    log_.warning(
        "name of a server has too many addresses",
        {{"app", app}, {"name", name}, {"used", kMaxAddresses}, {"left_out", change.left_out}});
  }
}

// A thread that has not heard of it yet may still give it a request; once all have, it can only
// become idle.
void Control::drain_server(const std::shared_ptr<WorkerInfo>& info) {
  const auto missing = std::make_shared<std::atomic<std::size_t>>(threads_.size());
  on_every_thread([this, info, missing](Thread& t) {
    t.app(info->app).drain(info->serial);
    if (missing->fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    threads_.front()->reactor().post([this, info] { draining_servers_.push_back(info); });
  });
}

void Control::remove_idle_servers() {
  std::erase_if(draining_servers_, [this](const std::shared_ptr<WorkerInfo>& info) {
    if (info->active.load(std::memory_order_acquire) > 0) return false;
    on_every_thread([info](Thread& t) { t.app(info->app).remove(info->serial, 0); });
    servers_.erase(info->serial);
    channel::Message gone;
    gone.type = channel::Type::server_gone;
    gone.app = info->app;
    gone.serial = info->serial;
    outbox_.send(gone);
    return true;
  });
}

}  // namespace viaduct::daemon::bridge
