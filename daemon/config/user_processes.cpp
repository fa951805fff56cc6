#include "daemon/config/user_processes.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace viaduct::daemon::config {
namespace {

bool is_number(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string first_line(const std::filesystem::path& file, char end) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line, end);
  return line;
}

// The kernel keeps 15 characters of the name that a bridge has from before its exec on.
constexpr std::string_view kBridge = "viaductd: bridge";
constexpr std::string_view kBridgeBeforeExec = kBridge.substr(0, 15);

}  // namespace

std::optional<std::string> other_process_of(uid_t user) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string pid = entry->path().filename();
    struct stat status {};
    if (!is_number(pid) || ::stat(entry->path().c_str(), &status) != 0 || status.st_uid != user) {
      continue;
    }
    // One that has ended and was not waited for has no arguments.
    const std::string program = first_line(entry->path() / "cmdline", '\0');
    const std::string name = first_line(entry->path() / "comm", '\n');
    if (program.empty() || program == kBridge || name == kBridgeBeforeExec) continue;
    return std::string("pid ").append(pid).append(" (").append(name).append(")");
  }
  return std::nullopt;
}

}  // namespace viaduct::daemon::config
