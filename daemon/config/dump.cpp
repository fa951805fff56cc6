#include "daemon/config/dump.hpp"

#include "daemon/config/keys.hpp"

namespace viaduct::daemon::config {

std::string dump(const Settings& settings) {
  DumpWriter writer(settings.origins);
  print_map(writer, settings, {}, settings_keys());
  return writer.text();
}

}  // namespace viaduct::daemon::config
