#pragma once

#include <stdexcept>
#include <string>

#include "daemon/config/settings.hpp"

namespace viaduct::daemon::master {

/// Whether what failed with this errno may work a moment later, with the same configuration: an
/// address that is in use or not there yet, no more descriptors, memory or disk space. The service
/// manager then starts viaductd again; with a mistake in the configuration it does not.
bool is_transient(int error) noexcept;

/// What the configuration asks for cannot be had: no log file, no socket, no runtime_dir.
class StartError : public std::runtime_error {
 public:
  /// `error` is the errno, 0 where there is none.
  explicit StartError(const std::string& text, int error = 0)
      : std::runtime_error(text), error_(error) {}

  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  int error_;
};

/// The error of a key: "/etc/viaduct/viaduct.yaml:3:11: log.to: open /x/log: Permission denied". A
/// key that was not written down has no position. The errno is that of `why`, if it has one.
StartError error_of_key(const config::Settings& settings, const std::string& key,
                        const std::exception& why);

}  // namespace viaduct::daemon::master
