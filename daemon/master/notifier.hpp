#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

namespace viaduct::daemon::master {

/// Tells the service manager how we are (sd_notify(3)). Without NOTIFY_SOCKET every call does
/// nothing. The manager has to read: a send waits while its queue is full.
class Notifier {
 public:
  void ready(const std::string& status);
  void status(const std::string& status);  ///< only sent when it differs from the last one
  void reloading();
  void stopping();
  /// From now on another process is the service.
  void main_process(pid_t pid);
  void alive();

  /// Whether the manager keeps descriptors for whoever comes after us: FDSTORE says how many. (Set
  /// by systemd from 254 on; before, the unit has to set it.)
  bool keeps_descriptors() const;
  /// Lets the manager keep a copy under a name; one that it has already changes nothing.
  void store(const std::string& name, int descriptor);
  /// Lets it close all of that name.
  void forget(const std::string& name);

  /// How often alive() is expected at least (WATCHDOG_USEC); nothing when it is not.
  std::optional<std::chrono::microseconds> watchdog_interval() const;

 private:
  std::string last_status_;
};

}  // namespace viaduct::daemon::master
