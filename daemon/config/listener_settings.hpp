// Listeners and their routes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/address.hpp"
#include "protocol/forwarded.hpp"
#include "protocol/http/odd_names.hpp"
#include "protocol/peer_rule.hpp"

namespace viaduct::daemon::config {

enum class FrontProtocol { fastcgi, scgi, uwsgi, http };
// The name in the configuration.
std::string_view to_string(FrontProtocol protocol);

// What becomes of the body of a response to HEAD.
enum class HeadBody { pass, drop };

enum class Priority { high, normal, low };

// A header field that a request has to have, with that value if there is one.
struct HeaderRule {
  std::string name;
  std::optional<std::string> value;

  bool operator==(const HeaderRule&) const = default;
};

// Where requests go that meet all its conditions. Which route comes first if several do is said in
// conf/viaduct.yaml.
struct RouteSettings {
  std::string host{};                    // lower case; a name or "*.suffix"; "": any
  std::string path = "/";                // begins with '/'; ends with one only when it is "/"
  std::string exact{};                   // the whole path, instead of a prefix; "": none
  std::vector<std::string> methods{};    // GET stands for HEAD too; empty: any
  std::optional<HeaderRule> header{};    // absent: none is required
  bool mount = false;                    // true: the prefix moves from PATH_INFO into SCRIPT_NAME
  std::string app{};                     // names one of Settings::apps
  Priority priority = Priority::normal;  // of its requests while they wait
  std::uint32_t limit = 0;               // of its requests at workers at once; 0: none

  bool operator==(const RouteSettings&) const = default;
};

struct ListenerSettings {
  FrontProtocol protocol = FrontProtocol::fastcgi;
  Address address;
  std::string owner;
  std::string group;
  std::optional<uid_t> uid;  // of `owner`; absent: leave it to the kernel
  std::optional<gid_t> gid;  // of `group`
  mode_t mode = 0660;        // of the socket file
  std::uint32_t backlog = 4096;
  std::vector<protocol::PeerRule> allow;    // empty: everyone who can connect
  std::vector<protocol::PeerRule> trusted;  // empty: nobody
  bool proxy_protocol = false;              // connections of `trusted` begin with a PROXY header
  protocol::ForwardedOptions forwarded{.source = protocol::ForwardedSource::pass};
  bool upgrade = false;                                                 // whether a 101 may pass
  protocol::http::OddNames odd_names = protocol::http::OddNames::drop;  // http only
  HeadBody head_body = HeadBody::pass;                                  // http: drop
  bool send_file = true;    // whether the front server delivers files that it is named; http: false
  std::string app;          // as written: empty when `routes` was used instead
  std::string default_app;  // as written: for requests that no route takes; "": none
  std::vector<RouteSettings>
      routes;  // as written, never empty; one for `app`; `default` is the last
};

}  // namespace viaduct::daemon::config
