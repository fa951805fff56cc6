#include "daemon/channel/scoreboard.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon {

int create_scoreboard() {
  const auto fail = [](const char* call) {
    throw std::system_error(errno, std::generic_category(), call);
  };
  UniqueFd memory(::memfd_create("viaduct-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) fail("memfd_create");
  if (::ftruncate(memory.get(), sizeof(Scoreboard)) != 0) fail("ftruncate");
  // Pages that a bridge takes away would end every process that reads them.
  if (::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    fail("seal memfd");
  }
  return memory.release();
}

Scoreboard& map_scoreboard(int descriptor) {
  void* memory =
      ::mmap(nullptr, sizeof(Scoreboard), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  // Zeroed pages are the initial value of every counter, and another process may already count.
  return *static_cast<Scoreboard*>(memory);
}

}  // namespace viaduct::daemon
