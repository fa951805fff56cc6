// viaductd with a bridge that somebody takes over. A file beside the program, NAME.deed, says where
// and how: the first line is a directory, the second a deed of hostile_bridge.hpp. The bridge that
// makes the file `hostile` in that directory acts; every other one serves as usual.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <string>

#include "daemon/channel/unique_fd.hpp"
#include "tests/daemon/master/hostile_bridge.hpp"

int viaductd_main(int argc, char** argv);  // daemon/main.cpp

namespace {

std::string own_path() {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  return {path.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

std::string deed() {
  std::ifstream file(own_path() + ".deed");
  std::string directory;
  std::string text;
  if (!std::getline(file, directory) || !std::getline(file, text)) return "";
  const std::string mark = directory + "/hostile";
  const viaduct::daemon::UniqueFd made(
      ::open(mark.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!made) return "";
  const std::string pid = std::to_string(::getpid());
  return ::write(made.get(), pid.data(), pid.size()) > 0 ? text : "";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--bridge") == 0) {
    const std::string text = deed();
    if (!text.empty()) return viaduct::daemon::master::hostile_bridge(text);
  }
  return viaductd_main(argc, argv);
}
