#include "sdk/src/files/send_file.hpp"

#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <ctime>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <viaduct/wait.hpp>

#include "sdk/src/files/byte_range.hpp"
#include "sdk/src/files/disposition.hpp"
#include "sdk/src/files/http_date.hpp"
#include "sdk/src/files/media_type.hpp"
#include "sdk/src/files/preconditions.hpp"
#include "sdk/src/percent.hpp"
#include "sdk/src/request_state.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

// Read at once, in bytes. Not less than what a response holds back, so that nothing is copied.
constexpr std::size_t kPiece = 64 * 1024;

[[noreturn]] void cannot_open(int error, const std::filesystem::path& path) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:
    case ENAMETOOLONG:
    case ENXIO:
    case EINVAL:
      throw http_error(404, "Not Found");
    case EACCES:
      throw http_error(403, "Forbidden");
    default:
      throw std::system_error(error, std::generic_category(), path.string());
  }
}

std::string make_etag(const struct stat& info) {
  char text[64];
  std::snprintf(text, sizeof text, "\"%llx.%lx-%llx\"",
                static_cast<unsigned long long>(info.st_mtim.tv_sec), info.st_mtim.tv_nsec,
                static_cast<unsigned long long>(info.st_size));
  return text;
}

void set_default(Fields& fields, std::string_view name, std::string_view value) {
  if (!fields.get(name)) fields.set(name, value);
}

// Waits for the disk where that does not hold others up; what is in memory needs no detour.
ssize_t read_at(int fd, std::span<char> into, std::uint64_t offset) {
  iovec piece{into.data(), into.size()};
  ssize_t got = ::preadv2(fd, &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  if (got >= 0) return got;
  int error = 0;
  blocking([&] {
    got = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
    error = errno;
  });
  errno = error;
  return got;
}

// The path by which the front server finds the file; empty when it has none any more.
std::string real_path(const FileDescriptor& file) {
  char target[PATH_MAX];
  const std::string link = "/proc/self/fd/" + std::to_string(file.get());
  const ssize_t size = ::readlink(link.c_str(), target, sizeof target);
  if (size <= 0 || size == sizeof target) return {};
  struct stat info {};
  std::string path(target, static_cast<std::size_t>(size));
  if (path.front() != '/' || ::stat(path.c_str(), &info) != 0) return {};
  return path;
}

class FileAnswer {
 public:
  FileAnswer(ResponseState& response, const FileDescriptor& file, const std::filesystem::path& path)
      : response_(response), file_(file), path_(path) {
    if (::fstat(file.get(), &info_) != 0) cannot_open(errno, path);
    if (!S_ISREG(info_.st_mode)) throw http_error(404, "Not Found");
    length_ = static_cast<std::uint64_t>(info_.st_size);
  }

  void describe(std::string_view download_name) {
    Fields& fields = response_.fields_to_change();
    set_default(fields, "Content-Type", media_type(path_.native()));
    if (!download_name.empty()) fields.set("Content-Disposition", attachment(download_name));
  }

  // Whether the front server has been told to send it.
  bool delegate() {
    const auto name = delivery_field(response_.file_delivery());
    if (!name || response_.transforming()) return false;
    const std::string path = real_path(file_);
    if (path.empty()) return false;
    std::string encoded;
    percent_encode_path(path, encoded);
    response_.fields_to_change().set(*name, encoded);
    return true;
  }

  // Whether a body is to be sent.
  bool negotiate() {
    Fields& fields = response_.fields_to_change();
    set_default(fields, "Last-Modified", format_http_date(last_modified(fields)));
    // A transform makes other bytes of it: positions and versions of these do not apply.
    const bool plain = !response_.transforming();
    if (plain) set_default(fields, "ETag", make_etag(info_));
    RequestState* const request = response_.request();
    if (request != nullptr && response_.status() == 200) {
      const std::string_view method = request->variables().method;
      if ((method == "GET" || method == "HEAD") && !apply_conditions(*request)) return false;
      if (plain) fields.set("Accept-Ranges", "bytes");
      if (plain && method == "GET") apply_range(*request);
    }
    fields.set("Content-Length", std::to_string(length_));
    return !response_.head_only();
  }

  void stream() {
    std::vector<char> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(length_, kPiece)));
    while (length_ > 0) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(length_, buffer.size()));
      const ssize_t got = read_at(file_.get(), {buffer.data(), wanted}, first_);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw std::system_error(errno, std::generic_category(), path_.string());
      if (got == 0) throw std::runtime_error(path_.string() + " became shorter while it was sent");
      response_.write({buffer.data(), static_cast<std::size_t>(got)});
      first_ += static_cast<std::uint64_t>(got);
      length_ -= static_cast<std::uint64_t>(got);
    }
  }

 private:
  // Not later than the answer itself (RFC 9110 section 8.8.2.1).
  [[nodiscard]] std::time_t last_modified(const Fields& fields) const {
    const auto date = fields.get("Date");
    const auto made = date ? parse_http_date(*date) : std::nullopt;
    return std::min(
        {info_.st_mtim.tv_sec, std::time(nullptr), made.value_or(info_.st_mtim.tv_sec)});
  }

  [[nodiscard]] Validators validators() const {
    return {.etag = std::string(response_.fields().get("ETag").value_or("")),
            .modified = info_.st_mtim.tv_sec};
  }

  bool apply_conditions(RequestState& request) {
    switch (evaluate(request.headers(), validators())) {
      case Precondition::met:
        return true;
      case Precondition::failed:
        throw http_error(412, "Precondition Failed");
      case Precondition::not_modified:
        break;
    }
    response_.set_status(304);
    response_.fields_to_change().erase("Content-Type");
    response_.fields_to_change().erase("Content-Disposition");
    return false;
  }

  void apply_range(RequestState& request) {
    const auto field = request.headers().get("Range");
    if (!field || !range_applies(request.headers(), validators())) return;
    const ByteRange range = parse_range(*field, length_);
    const std::string size = std::to_string(length_);
    if (range.kind == ByteRange::Kind::whole) return;
    if (range.kind == ByteRange::Kind::unsatisfiable) {
      Fields fields;
      fields.set("Content-Range", "bytes */" + size);
      throw http_error(416, "Range Not Satisfiable", std::move(fields));
    }
    first_ = range.first;
    length_ = range.length;
    response_.set_status(206);
    response_.fields_to_change().set("Content-Range", "bytes " + std::to_string(first_) + '-' +
                                                          std::to_string(first_ + length_ - 1) +
                                                          '/' + size);
  }

  ResponseState& response_;
  const FileDescriptor& file_;
  const std::filesystem::path& path_;
  struct stat info_ {};
  std::uint64_t first_ = 0;
  std::uint64_t length_ = 0;
};

}  // namespace

void send_file(ResponseState& response, const FileDescriptor& file,
               const std::filesystem::path& path, std::string_view download_name) {
  if (!file) cannot_open(errno, path);
  if (response.written() > 0) throw std::logic_error("send_file() in a response with a body");
  FileAnswer answer(response, file, path);
  answer.describe(download_name);
  if (!answer.delegate() && answer.negotiate()) answer.stream();
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
