// App keys whose spelling is settled and whose meaning belongs to a later version: they are known,
// validated and then refused, so that nothing is silently ignored.
#pragma once

#include "daemon/config/schema.hpp"
#include "daemon/config/settings.hpp"

namespace viaduct::daemon::config {

Keys<AppSettings> keys_of_later_versions();

// A key inside a map that is refused as a whole: only its value is validated.
template <class T>
Key<Nothing> refused_values(std::string_view name, ValueType<T> type) {
  return {name,
          [=](Reading& reading, const Node& node, const std::string& path, Nothing&) {
            type.read(reading, node, path);
          },
          nullptr};
}

}  // namespace viaduct::daemon::config
