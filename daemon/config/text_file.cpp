#include "daemon/config/text_file.hpp"

#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::config {

namespace {

// A descriptor of this process: whoever names one decides what it is.
bool is_own_descriptor(const std::string& path) {
  return path == "/dev/stdin" || path.starts_with("/dev/fd/");
}

// 0, or why the file cannot be read without waiting for somebody.
int make_readable(int file, const std::string& path) {
  struct stat status {};
  if (fstat(file, &status) != 0) return errno;
  if (is_own_descriptor(path)) return fcntl(file, F_SETFL, 0) == 0 ? 0 : errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  return S_ISREG(status.st_mode) || S_ISCHR(status.st_mode) ? 0 : ESPIPE;
}

// A descriptor, or with a negative sign the error. Opening a pipe waits for a writer unless told
// not to.
int open_to_read(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  return file >= 0 ? file : -errno;
}

// Only the rights to files, so that the user may not send signals to the thread, and thereby to the
// process. Of the thread alone: the C library's setgroups() changes the groups of all threads.
int take_file_rights(const Account& user) {
  if (syscall(SYS_setgroups, user.groups.size(), user.groups.data()) != 0) return errno;
  setfsgid(user.gid);
  setfsuid(user.uid);
  // A failure shows in what is in force, which a number that no user has does not change.
  constexpr auto kNobody = static_cast<uid_t>(-1);
  const bool taken = static_cast<gid_t>(setfsgid(kNobody)) == user.gid &&
                     static_cast<uid_t>(setfsuid(kNobody)) == user.uid;
  return taken ? 0 : EPERM;
}

std::variant<std::string, ReadFailure> read_opened(int file, const std::string& path) {
  if (file < 0) return ReadFailure{-file};
  const UniqueFd owner(file);
  if (const int why = make_readable(file, path); why != 0) return ReadFailure{why};
  std::string text;
  char block[16'384];
  for (;;) {
    const ssize_t count = read(file, block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ReadFailure{errno};
    if (count == 0) return text;
    text.append(block, static_cast<std::size_t>(count));
    if (text.size() > kMaxFileBytes) return ReadFailure{EFBIG};
  }
}

}  // namespace

std::variant<std::string, ReadFailure> read_text_file(const std::string& path) {
  return read_opened(open_to_read(path), path);
}

std::variant<std::string, ReadFailure> read_text_file_as(const Account& user,
                                                         const std::string& path) {
  int file = -EPERM;
  std::thread([&] {
    const int error = take_file_rights(user);
    file = error == 0 ? open_to_read(path) : -error;
  }).join();
  return read_opened(file, path);
}

std::string describe_errno(int error) {
  if (error == EFBIG) return "File too large (EFBIG): at most 1 MiB is read";
  if (error == ESPIPE) return "Not a file but a pipe or socket (ESPIPE)";
  const char* name = strerrorname_np(error);
  const char* words = strerrordesc_np(error);
  return std::string(words ? words : "error") + " (" +
         (name ? std::string(name) : std::to_string(error)) + ')';
}

}  // namespace viaduct::daemon::config
