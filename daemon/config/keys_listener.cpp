#include <algorithm>

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

Keys<protocol::ForwardedOptions> forwarded_keys() {
  using O = protocol::ForwardedOptions;
  using S = protocol::ForwardedSource;
  return {key("forwarded", &O::source,
              choice<S>({{"x-forwarded-for", S::x_forwarded_for},
                         {"forwarded", S::forwarded},
                         {"none", S::none},
                         {"pass", S::pass}})),
          key("forwarded_host", &O::host, boolean()), key("forwarded_proto", &O::proto, boolean()),
          key("forwarded_port", &O::port, boolean())};
}

}  // namespace

Keys<ListenerSettings> listener_keys() {
  using L = ListenerSettings;
  using Odd = protocol::http::OddNames;
  Keys<L> keys = {
      key("protocol", &L::protocol, front_protocol()),
      key("address", &L::address, address()),
      text_key("owner", &L::owner, text()),
      text_key("group", &L::group, text()),
      key("mode", &L::mode, file_mode(0777)),
      key("backlog", &L::backlog, integer(1, kMaxBacklog)),
      key("allow", &L::allow, list(peer_rule())),
      key("trusted", &L::trusted, list(peer_rule())),
      key("proxy_protocol", &L::proxy_protocol, boolean()),
      key("upgrade", &L::upgrade, boolean()),
      key("odd_names", &L::odd_names, choice<Odd>({{"drop", Odd::drop}, {"keep", Odd::keep}})),
      key("head_body", &L::head_body,
          choice<HeadBody>({{"pass", HeadBody::pass}, {"drop", HeadBody::drop}})),
      key("send_file", &L::send_file, boolean()),
      text_key("app", &L::app, text()),
      routes_key(),
      text_key("default", &L::default_app, text())};
  const auto forwarded = inlined(&L::forwarded, forwarded_keys());
  const auto behind_trusted = std::find_if(keys.begin(), keys.end(),
                                           [](const Key<L>& key) { return key.name == "upgrade"; });
  keys.insert(behind_trusted, forwarded.begin(), forwarded.end());
  Key<L>& mode = keys[4];
  const auto print_mode = mode.print;
  mode.print = [=](DumpWriter& dump, const L& from, const std::string& path) {
    if (from.address.kind == Address::Kind::unix_path) print_mode(dump, from, path);
  };
  Key<L>& odd_names = *std::find_if(keys.begin(), keys.end(),
                                    [](const Key<L>& key) { return key.name == "odd_names"; });
  const auto print_odd_names = odd_names.print;
  odd_names.print = [=](DumpWriter& dump, const L& from, const std::string& path) {
    if (from.protocol == FrontProtocol::http) print_odd_names(dump, from, path);
  };
  return keys;
}

}  // namespace viaduct::daemon::config
