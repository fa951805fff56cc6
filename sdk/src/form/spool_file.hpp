#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Where temporary files go when nobody says: TMPDIR, else /tmp.
[[nodiscard]] std::filesystem::path temporary_directory();

/// A new file that nobody else has open, of mode 0600 and with a name that cannot be guessed.
/// Removed with the object unless it was renamed. Writing goes through viaduct::blocking(), so that
/// a slow disk holds up no other fiber. Errors are std::filesystem::filesystem_error.
class SpoolFile {
 public:
  /// Creates it in `directory`, which has to exist.
  explicit SpoolFile(const std::filesystem::path& directory);
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  ~SpoolFile();

  /// Appends; what is less than a piece is held back until close().
  void write(std::string_view bytes);
  /// Writes what was held back. To be called once; then the file may be used under its path.
  void close();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Bytes written so far.
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  void flush();

  std::filesystem::path path_;
  int fd_ = -1;
  std::string held_;
  std::uint64_t size_ = 0;
};

/// Moves `from` to `to` as Upload::save() promises.
void move_file(const std::filesystem::path& from, const std::filesystem::path& to);
/// The same by copying, whether or not the file system is the same.
void copy_and_remove(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
