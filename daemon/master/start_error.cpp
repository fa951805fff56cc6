#include "daemon/master/start_error.hpp"

#include <cerrno>
#include <system_error>

#include "daemon/config/diagnostic.hpp"

namespace viaduct::daemon::master {

namespace {

int errno_of(const std::exception& why) {
  if (const auto* const start = dynamic_cast<const StartError*>(&why)) return start->error();
  const auto* const system = dynamic_cast<const std::system_error*>(&why);
  return system != nullptr ? system->code().value() : 0;
}

}  // namespace

bool is_transient(int error) noexcept {
  switch (error) {
    case EADDRINUSE:
    case EADDRNOTAVAIL:
    case EAGAIN:
    case EDQUOT:
    case EMFILE:
    case ENETDOWN:
    case ENETUNREACH:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
      return true;
    default:
      return false;
  }
}

StartError error_of_key(const config::Settings& settings, const std::string& key,
                        const std::exception& why) {
  const auto origin = settings.origins.find(key);
  const bool written = origin != settings.origins.end();
  const config::Diagnostic found{written ? origin->second : config::Origin{}, key, why.what()};
  return StartError(format(found), errno_of(why));
}

}  // namespace viaduct::daemon::master
