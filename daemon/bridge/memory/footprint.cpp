#include "daemon/bridge/memory/footprint.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace viaduct::daemon::bridge {

namespace {

// Another allocator answers with zeros.
bool heap_is_libc() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd > 0;
}

// The number at `text`, which moves behind it.
std::uint64_t take_number(const char*& text, const char* end) {
  std::uint64_t number = 0;
  while (text < end && *text == ' ') ++text;
  text = std::from_chars(text, end, number).ptr;
  return number;
}

}  // namespace

Footprint::Footprint() {
  if (!heap_is_libc()) return;
  file_ = UniqueFd(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  at_start_ = read().value_or(0);
}

std::optional<std::uint64_t> Footprint::growth() const {
  const auto now = read();
  if (!now) return std::nullopt;
  return *now - std::min(*now, at_start_);
}

// Pages: all that are mapped, those resident, those of them that a file or shared memory backs.
std::optional<std::uint64_t> Footprint::read() const {
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  if (!file_) return std::nullopt;
  std::array<char, 128> text;
  const ssize_t size = ::pread(file_.get(), text.data(), text.size(), 0);
  if (size <= 0) return std::nullopt;
  const char* at = text.data();
  const char* const end = at + size;
  take_number(at, end);
  const std::uint64_t resident = take_number(at, end);
  const std::uint64_t shared = take_number(at, end);
  return (resident - std::min(resident, shared)) * page;
}

void Footprint::trim() {
  ::malloc_trim(0);
}

}  // namespace viaduct::daemon::bridge
