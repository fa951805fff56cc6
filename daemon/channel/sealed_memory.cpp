#include "daemon/channel/sealed_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace viaduct::daemon::channel {

namespace {

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

UniqueFd sealed_memory(const char* name, std::string_view text) {
  const auto fail = [](const char* call) {
    throw std::system_error(errno, std::generic_category(), call);
  };
  UniqueFd memory(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) fail("memfd_create");
  while (!text.empty()) {
    const ssize_t written = ::write(memory.get(), text.data(), text.size());
    if (written < 0 && errno != EINTR) fail("write to memfd");
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  // The offset is shared by all who have it: they must use pread or rewind.
  ::lseek(memory.get(), 0, SEEK_SET);
  if (::fcntl(memory.get(), F_ADD_SEALS, kSeals) != 0) fail("seal memfd");
  return memory;
}

}  // namespace viaduct::daemon::channel
