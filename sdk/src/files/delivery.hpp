#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Who reads the files that send_file() answers with.
enum class FileDelivery : std::uint8_t {
  self,              ///< this process
  x_accel_redirect,  ///< nginx, Caddy: it is named the file's path as a URI
  x_sendfile,        ///< Apache with mod_xsendfile, lighttpd: it is named the file's path
};

/// "off", "x-accel-redirect" or "x-sendfile": the values of VIADUCT_SEND_FILE.
[[nodiscard]] std::optional<FileDelivery> parse_delivery(std::string_view text);

/// The header field that names a file to the front server; absent for `self`.
[[nodiscard]] std::optional<std::string_view> delivery_field(FileDelivery delivery);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
