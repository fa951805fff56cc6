#include "daemon/config/keys_later.hpp"

namespace viaduct::daemon::config {
Keys<AppSettings> keys_of_later_versions() {
  using A = AppSettings;
  enum class Protocol { fastcgi, scgi, uwsgi };
  enum class Multiplex { never, automatic };
  return {refused<A>("protocol", choice<Protocol>({{"fastcgi", Protocol::fastcgi},
                                                   {"scgi", Protocol::scgi},
                                                   {"uwsgi", Protocol::uwsgi}})),
          refused_unless<A>("keepalive", false, boolean()),
          refused_unless<A>(
              "multiplex", Multiplex::never,
              choice<Multiplex>({{"never", Multiplex::never}, {"auto", Multiplex::automatic}})),
          refused_map<A>("health", {refused_values("interval", duration()),
                                    refused_values("fail", integer(1, 1000)),
                                    refused_values("pass", integer(1, 1000))})};
}

}  // namespace viaduct::daemon::config
