#include <algorithm>
#include <utility>

#include "daemon/config/checking.hpp"

namespace viaduct::daemon::config {
namespace {

using protocol::ForwardedSource;

void choose_default(const Checking& check, ListenerSettings& listener, const std::string& path) {
  if (check.written(path + ".forwarded")) return;
  const bool http = listener.protocol == FrontProtocol::http;
  listener.forwarded.source = http ? ForwardedSource::none : ForwardedSource::pass;
  if (!http || listener.trusted.empty()) return;
  check.error(path + ".trusted",
              "expected the key \"forwarded\" beside it: x-forwarded-for or forwarded, whichever "
              "field these proxies append the client's address to, or none to believe neither");
}

void check_parts(const Checking& check, const ListenerSettings& listener, const std::string& path) {
  const protocol::ForwardedOptions& options = listener.forwarded;
  for (const auto& [wanted, key] : {std::pair{options.host, ".forwarded_host"},
                                    {options.proto, ".forwarded_proto"},
                                    {options.port, ".forwarded_port"}}) {
    if (wanted && !protocol::names_client(options.source))
      check.error(path + key,
                  "only allowed with \"forwarded: x-forwarded-for\" or \"forwarded: forwarded\"");
  }
  if (options.port && options.source == ForwardedSource::forwarded)
    check.error(
        path + ".forwarded_port",
        "only allowed with \"forwarded: x-forwarded-for\": Forwarded has the port in host=");
}

// A process that connects to a Unix socket has no address.
bool has_principal(const ListenerSettings& listener) {
  return std::any_of(listener.trusted.begin(), listener.trusted.end(), [](const auto& rule) {
    return rule.kind != protocol::PeerRule::Kind::network;
  });
}

void check_somebody_is_trusted(const Checking& check, const ListenerSettings& listener,
                               const std::string& path) {
  const bool named = protocol::names_client(listener.forwarded.source);
  if (!named && !listener.proxy_protocol) return;
  const bool malformed = check.written(path + ".trusted[0]") && listener.trusted.empty();
  if (malformed) return;
  if (listener.trusted.empty()) {
    check.error(path + (named ? ".forwarded" : ".proxy_protocol"),
                "expected \"trusted\" with the proxies whose word it is");
  } else if (listener.address.is_unix() && !has_principal(listener)) {
    check.error(path + ".trusted",
                "expected uid:NAME or gid:NAME of the processes that connect to the Unix socket");
  }
}

}  // namespace

void check_forwarded(const Checking& check, ListenerSettings& listener, const std::string& path) {
  choose_default(check, listener, path);
  check_parts(check, listener, path);
  check_somebody_is_trusted(check, listener, path);
}

}  // namespace viaduct::daemon::config
