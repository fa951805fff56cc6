#include "daemon/master/socket_file.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "daemon/master/socket_address.hpp"

namespace viaduct::daemon::master {

namespace {

[[noreturn]] void fail(const std::string& what, int error = errno) {
  throw std::system_error(error, std::generic_category(), what);
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// A file made in between has all the permissions that its maker asks for.
class NoUmask {
 public:
  NoUmask() : before_(::umask(0)) {}
  NoUmask(const NoUmask&) = delete;
  NoUmask& operator=(const NoUmask&) = delete;
  ~NoUmask() { ::umask(before_); }

 private:
  mode_t before_;
};

// The identity of a socket, or nothing for any other file.
std::optional<FileId> socket_id(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISSOCK(status.st_mode)) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

}  // namespace

void SocketFile::check_place(const std::string& path) {
  (void)Directory::open(parent_of(path));
}

// A name below the descriptor of the directory would be the name of the socket for everybody who
// asks, so that it is bound by its path, and looked for where it is to be.
SocketFile SocketFile::bind(int socket, const std::string& path, mode_t mode) {
  auto directory = std::make_shared<const Directory>(Directory::open(parent_of(path)));
  const SocketAddress address = unix_address(path);
  // The kernel makes the file with the mode of the socket.
  if (::fchmod(socket, mode) != 0) fail("chmod " + path);
  {
    const NoUmask all_permissions;
    if (::bind(socket, address.get(), address.length) != 0) fail("bind " + path);
  }
  auto made = find_in(std::move(directory), name_of(path));
  if (!made) fail(path + " was replaced", ESTALE);
  return std::move(*made);
}

std::optional<SocketFile> SocketFile::find(const std::string& path) noexcept {
  try {
    return find_in(std::make_shared<const Directory>(Directory::open(parent_of(path))),
                   name_of(path));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<SocketFile> SocketFile::find_in(std::shared_ptr<const Directory> directory,
                                              std::string name) {
  const UniqueFd file(
      ::openat(directory->descriptor(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return std::nullopt;
  const auto id = socket_id(file.get());
  if (!id) return std::nullopt;
  return SocketFile(std::move(directory), std::move(name), *id);
}

UniqueFd SocketFile::open() const {
  UniqueFd file(::openat(directory_->descriptor(), name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file) fail("open " + directory_->path() + "/" + name_);
  if (socket_id(file.get()) != id_) {
    fail(directory_->path() + "/" + name_ + " is not the socket that was made there", ESTALE);
  }
  return file;
}

void SocketFile::set_owner(std::optional<uid_t> uid, std::optional<gid_t> gid) const {
  const UniqueFd file = open();
  const auto user = uid.value_or(static_cast<uid_t>(-1));
  const auto group = gid.value_or(static_cast<gid_t>(-1));
  if (::fchownat(file.get(), "", user, group, AT_EMPTY_PATH) != 0) {
    fail("chown " + directory_->path() + "/" + name_);
  }
}

void SocketFile::set_mode(mode_t mode) const {
  const UniqueFd file = open();
  // fchmod() refuses descriptors that were opened with O_PATH; this name leads to the very file.
  const std::string name = "/proc/self/fd/" + std::to_string(file.get());
  if (::chmod(name.c_str(), mode) != 0) fail("chmod " + directory_->path() + "/" + name_);
}

bool SocketFile::in_place() const noexcept {
  const auto there = find(directory_->path() + "/" + name_);
  return there && there->id_ == id_;
}

void SocketFile::unlink() const noexcept {
  const UniqueFd file(
      ::openat(directory_->descriptor(), name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (file && socket_id(file.get()) == id_) directory_->unlink(name_);
}

}  // namespace viaduct::daemon::master
