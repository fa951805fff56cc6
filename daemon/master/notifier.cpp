#include "daemon/master/notifier.hpp"

#include <time.h>

#include <cstdint>
#include <cstdlib>
#include <utility>

#include <systemd/sd-daemon.h>

namespace viaduct::daemon::master {

namespace {

void notify(const std::string& state) {
  ::sd_notify(0, state.c_str());
}

std::string monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto seconds = static_cast<std::uint64_t>(now.tv_sec);
  return std::to_string(seconds * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000);
}

}  // namespace

void Notifier::ready(const std::string& status) {
  last_status_ = status;
  notify("READY=1\nSTATUS=" + status);
}

void Notifier::status(const std::string& status) {
  if (status == std::exchange(last_status_, status)) return;
  notify("STATUS=" + status);
}

void Notifier::reloading() {
  notify("RELOADING=1\nMONOTONIC_USEC=" + monotonic_microseconds());
}

void Notifier::stopping() {
  notify("STOPPING=1\nSTATUS=stopping");
}

void Notifier::main_process(pid_t pid) {
  notify("MAINPID=" + std::to_string(pid));
}

void Notifier::alive() {
  notify("WATCHDOG=1");
}

bool Notifier::keeps_descriptors() const {
  const char* const room = std::getenv("FDSTORE");
  return std::getenv("NOTIFY_SOCKET") != nullptr && room != nullptr &&
         std::strtoul(room, nullptr, 10) > 0;
}

void Notifier::store(const std::string& name, int descriptor) {
  const std::string state = "FDSTORE=1\nFDNAME=" + name;
  ::sd_pid_notify_with_fds(0, 0, state.c_str(), &descriptor, 1);
}

void Notifier::forget(const std::string& name) {
  notify("FDSTOREREMOVE=1\nFDNAME=" + name);
}

std::optional<std::chrono::microseconds> Notifier::watchdog_interval() const {
  std::uint64_t interval = 0;
  if (::sd_watchdog_enabled(0, &interval) <= 0) return std::nullopt;
  return std::chrono::microseconds(interval);
}

}  // namespace viaduct::daemon::master
