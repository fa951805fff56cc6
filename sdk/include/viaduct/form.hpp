#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <viaduct/body.hpp>
#include <viaduct/export.hpp>
#include <viaduct/fields.hpp>
#include <viaduct/values.hpp>

namespace viaduct {
inline namespace v1 {

/// What a client may send with a form. More of anything is answered with http_error 413, whose text
/// says of what: too many fields, or too large a one; exactly as much is accepted. A part's header
/// lines may take 16 KiB.
struct FormLimits {
  std::uint64_t total = 64u << 20;  ///< bytes of the whole body, boundaries included
  std::uint64_t file = 32u << 20;   ///< bytes of one file
  std::size_t field = 64u << 10;    ///< bytes of one value that is no file, which memory holds
  std::size_t parts = 1000;         ///< fields and files together
  /// Of temporary files; has to exist. Empty: TMPDIR, else /tmp.
  std::filesystem::path directory = {};
};

/// One part of a multipart/form-data body (RFC 7578), as Request::next_part() streams it.
struct Part {
  std::string name;      ///< of the field; may be empty
  std::string filename;  ///< as in Upload; empty for what is no file
  std::string type;      ///< as in Upload
  Fields headers;        ///< every header field of the part
  Body* body;            ///< its content, to be read until the next next_part(); never null
};

/// A file that was sent with a form, in a temporary file of mode 0600. Copies refer to the same
/// file. A process that is killed leaves such files, `.viaduct-*`, behind.
struct VIADUCT_API Upload {
  std::string name;  ///< of the form's field
  /// What the client calls the file: what stood behind the last '/' or '\', without control
  /// characters, and never "." or "..". In UTF-8, if the client kept to it (RFC 7578 section 5.1);
  /// empty when nothing was left. Percent escapes stay: browsers write '"' as `%22`. To be shown,
  /// not to be used as a path: it may hold whatever a file name may, and clients choose the same
  /// name twice.
  std::string filename;
  /// What the client says it is; text/plain when it does not (RFC 7578 section 4.4).
  std::string type;
  std::filesystem::path path;  ///< removed when the handler returns, unless saved
  std::uint64_t size = 0;      ///< bytes

  /// Moves the file to `to`, in place of what is there: by renaming, or, from another file system,
  /// by copying beside `to` and then renaming, so that nobody sees half a file. It stays of mode
  /// 0600. Under fibers it suspends. Throws std::filesystem::filesystem_error, which leaves `to` as
  /// it was; also when the file was saved before or its handler has returned.
  void save(const std::filesystem::path& to) const;
};

/// A whole form.
struct VIADUCT_API Form {
  Values values;              ///< the fields that are no files, in order
  std::vector<Upload> files;  ///< in order; file inputs that were left empty are not listed

  /// The first file of that field; null when there is none.
  [[nodiscard]] const Upload* upload(std::string_view name) const;
};

}  // namespace v1
}  // namespace viaduct
