#include "daemon/channel/scoreboard.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace viaduct::daemon {

int create_scoreboard() {
  const int descriptor = ::memfd_create("viaduct-scoreboard", MFD_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
  if (::ftruncate(descriptor, sizeof(Scoreboard)) != 0) {
    const int error = errno;
    ::close(descriptor);
    throw std::system_error(error, std::generic_category(), "ftruncate");
  }
  return descriptor;
}

Scoreboard& map_scoreboard(int descriptor) {
  void* memory =
      ::mmap(nullptr, sizeof(Scoreboard), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  // Zeroed pages are the initial value of every counter, and another process may already count.
  return *static_cast<Scoreboard*>(memory);
}

}  // namespace viaduct::daemon
