#include "daemon/channel/answer_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace viaduct::daemon::channel {

UniqueFd make_answer_memory(std::size_t size) {
  const auto fail = [](const char* call) {
    throw std::system_error(errno, std::generic_category(), call);
  };
  UniqueFd memory(::memfd_create("viaduct-answer", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) fail("memfd_create");
  if (::ftruncate(memory.get(), static_cast<off_t>(size)) != 0) fail("ftruncate");
  if (::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    fail("seal memfd");
  }
  return memory;
}

bool write_answer(int memory, std::string_view answer) {
  off_t place = 0;
  while (!answer.empty()) {
    const ssize_t written = ::pwrite(memory, answer.data(), answer.size(), place);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    place += written;
    answer.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::optional<std::string> read_answer(int memory, std::size_t size, std::size_t limit) {
  if (size > limit) return std::nullopt;
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count =
        ::pread(memory, text.data() + done, size - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    done += static_cast<std::size_t>(count);
  }
  return text;
}

}  // namespace viaduct::daemon::channel
