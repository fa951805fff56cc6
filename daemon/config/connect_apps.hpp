// Apps whose servers others run (`connect`): they have no processes, so that nothing that concerns
// processes may be said of them, and what `defaults` says of it does not apply to them.
#pragma once

#include <string>
#include <string_view>

#include "daemon/config/app_settings.hpp"
#include "daemon/config/document.hpp"
#include "daemon/config/value_types.hpp"

namespace viaduct::daemon::config {

// Whether a key of apps concerns the processes that viaductd starts.
bool is_worker_key(std::string_view key);

// Whether a key of apps concerns the servers that others run.
bool is_server_key(std::string_view key);

// Whether an app with these keys of its own, and with `defaults` unless that is null, connects.
// One that has both `command` and `connect` does not: that is a mistake of its own.
bool connects_to_servers(const Node& own, const Node* defaults);

// `defaults` as far as they apply to an app that connects.
NodePtr without_worker_keys(const Node& defaults);

// `defaults` as they apply to an app that does not: without what concerns servers,
// if it has its own `command`.
NodePtr without_connect(const Node& defaults, const Node& own);

// To be called when an app that connects has been read: reports those of its own keys that concern
// processes, and leaves no such setting.
void finish_connect_app(Reading& reading, const Node& own, const std::string& path,
                        AppSettings& app);

}  // namespace viaduct::daemon::config
