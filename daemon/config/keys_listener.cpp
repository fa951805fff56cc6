#include "daemon/config/keys.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::uint32_t kMaxBacklog = 65'535;
ValueType<FrontProtocol> front_protocol() {
  using P = FrontProtocol;
  std::vector<std::pair<std::string_view, P>> words;
  for (const P protocol : {P::fastcgi, P::scgi, P::uwsgi, P::http}) {
    words.emplace_back(to_string(protocol), protocol);
  }
  return choice<P>(std::move(words));
}

}  // namespace

Keys<ListenerSettings> listener_keys() {
  using L = ListenerSettings;
  Keys<L> keys = {key("protocol", &L::protocol, front_protocol()),
                  key("address", &L::address, address()),
                  text_key("owner", &L::owner, text()),
                  text_key("group", &L::group, text()),
                  key("mode", &L::mode, file_mode(0777)),
                  key("backlog", &L::backlog, integer(1, kMaxBacklog)),
                  key("allow", &L::allow, list(peer_rule())),
                  key("trusted", &L::trusted, list(peer_rule())),
                  text_key("app", &L::app, text()),
                  routes_key(),
                  text_key("default", &L::default_app, text())};
  Key<L>& mode = keys[4];
  const auto print_mode = mode.print;
  mode.print = [=](DumpWriter& dump, const L& from, const std::string& path) {
    if (from.address.kind == Address::Kind::unix_path) print_mode(dump, from, path);
  };
  return keys;
}

}  // namespace viaduct::daemon::config
