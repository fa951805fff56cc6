#include "daemon/config/settings.hpp"

#include <algorithm>

namespace viaduct::daemon::config {

std::string_view to_string(ServerProtocol protocol) {
  switch (protocol) {
    case ServerProtocol::fastcgi:
      return "fastcgi";
    case ServerProtocol::scgi:
      return "scgi";
    case ServerProtocol::uwsgi:
      return "uwsgi";
  }
  return "?";
}

std::string_view to_string(FrontProtocol protocol) {
  switch (protocol) {
    case FrontProtocol::fastcgi:
      return "fastcgi";
    case FrontProtocol::scgi:
      return "scgi";
    case FrontProtocol::uwsgi:
      return "uwsgi";
    case FrontProtocol::http:
      return "http";
  }
  return "";
}

const AppSettings* find_app(const Settings& settings, std::string_view name) {
  const auto found = std::find_if(settings.apps.begin(), settings.apps.end(),
                                  [&](const AppSettings& app) { return app.name == name; });
  return found == settings.apps.end() ? nullptr : &*found;
}

}  // namespace viaduct::daemon::config
