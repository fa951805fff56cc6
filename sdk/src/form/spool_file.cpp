#include "sdk/src/form/spool_file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>
#include <vector>

#include <viaduct/wait.hpp>

#include "sdk/src/descriptor.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

namespace fs = std::filesystem;

// What one system call writes; what a hand-over to another thread costs is spread over it.
constexpr std::size_t kPiece = 64 * 1024;

[[noreturn]] void fail(const char* what, const fs::path& path, int error) {
  throw fs::filesystem_error(what, path, std::error_code(error, std::generic_category()));
}

std::string random_name() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::array<unsigned char, 16> bytes{};
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::getrandom(bytes.data() + filled, bytes.size() - filled, 0);
    if (got < 0 && errno != EINTR) fail("no random name for a temporary file", {}, errno);
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  std::string name = ".viaduct-";
  for (const unsigned char byte : bytes) {
    name += kDigits[byte >> 4];
    name += kDigits[byte & 15];
  }
  return name;
}

void write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write a temporary file", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

fs::path temporary_directory() {
  const char* const named = std::getenv("TMPDIR");
  return named != nullptr && *named != '\0' ? fs::path(named) : fs::path("/tmp");
}

SpoolFile::SpoolFile(const fs::path& directory) : path_(directory / random_name()) {
  blocking([this] {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd_ < 0) fail("cannot create a temporary file", path_, errno);
  });
}

SpoolFile::~SpoolFile() {
  if (fd_ >= 0) ::close(fd_);
  ::unlink(path_.c_str());
}

void SpoolFile::write(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kPiece - held_.size());
    held_ += bytes.substr(0, count);
    bytes.remove_prefix(count);
    if (held_.size() == kPiece) flush();
  }
}

void SpoolFile::flush() {
  blocking([this] { write_all(fd_, held_, path_); });
  held_.clear();
}

void SpoolFile::close() {
  if (!held_.empty()) flush();
  std::string().swap(held_);
  // A network file system may report only now that it has no room left.
  const int fd = std::exchange(fd_, -1);
  if (::close(fd) != 0 && errno != EINTR) fail("cannot write a temporary file", path_, errno);
}

void move_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return;
  if (errno == EXDEV) return copy_and_remove(from, to);
  throw fs::filesystem_error("cannot save an upload", from, to,
                             std::error_code(errno, std::generic_category()));
}

void copy_and_remove(const fs::path& from, const fs::path& to) {
  const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (source.get() < 0) fail("cannot read an upload", from, errno);
  SpoolFile copy(to.has_parent_path() ? to.parent_path() : fs::path("."));
  std::vector<char> piece(kPiece);
  while (true) {
    const ssize_t got = ::read(source.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read an upload", from, errno);
    if (got == 0) break;
    copy.write({piece.data(), static_cast<std::size_t>(got)});
  }
  copy.close();
  if (::rename(copy.path().c_str(), to.c_str()) != 0) {
    throw fs::filesystem_error("cannot save an upload", from, to,
                               std::error_code(errno, std::generic_category()));
  }
  ::unlink(from.c_str());
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
