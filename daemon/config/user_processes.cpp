#include "daemon/config/user_processes.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
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

bool is_file(const struct stat& file, const std::filesystem::path& path) {
  struct stat other {};
  return ::stat(path.c_str(), &other) == 0 && other.st_dev == file.st_dev &&
         other.st_ino == file.st_ino;
}

}  // namespace

std::optional<std::string> other_process_of(uid_t user) {
  struct stat viaductd {};
  if (::stat("/proc/self/exe", &viaductd) != 0) return std::nullopt;
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
    if (program.empty() || program == "viaductd: bridge") continue;
    // A bridge has no name before its exec.
    if (is_file(viaductd, entry->path() / "exe")) continue;
    return "pid " + pid + " (" + first_line(entry->path() / "comm", '\n') + ')';
  }
  return std::nullopt;
}

}  // namespace viaduct::daemon::config
