#include "daemon/master/control/status.hpp"

#include "daemon/config/described_json.hpp"

namespace viaduct::daemon::master::control {

BOOST_DESCRIBE_STRUCT(WorkerStatus, (), (name, pid, state, uptime_ms, requests, memory))
BOOST_DESCRIBE_STRUCT(ServerStatus, (), (name, state, active, requests, failure))
BOOST_DESCRIBE_STRUCT(CanaryStatus, (), (app, share, header))
BOOST_DESCRIBE_STRUCT(AppStatus, (),
                      (name, state, failure, wanted, active, queued, requests, errors, failed,
                       aborted, retried, timeouts, workers, servers, canary, behind))
BOOST_DESCRIBE_STRUCT(GenerationStatus, (), (number, state, bridge_pid))
BOOST_DESCRIBE_STRUCT(ListenerStatus, (), (protocol, address, apps, failure))
BOOST_DESCRIBE_STRUCT(Status, (),
                      (version, pid, uptime_ms, state, file, last_reload, connections, malformed,
                       contradictory, odd_fields, violations, sandbox, sandbox_lacks, generations,
                       listeners, apps))

std::string to_json(const Status& status) {
  return boost::json::serialize(config::described::write(status));
}

}  // namespace viaduct::daemon::master::control
