#include "sdk/src/files/delivery.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

std::optional<FileDelivery> parse_delivery(std::string_view text) {
  if (text == "off") return FileDelivery::self;
  if (text == "x-accel-redirect") return FileDelivery::x_accel_redirect;
  if (text == "x-sendfile") return FileDelivery::x_sendfile;
  return std::nullopt;
}

std::optional<std::string_view> delivery_field(FileDelivery delivery) {
  switch (delivery) {
    case FileDelivery::self:
      return std::nullopt;
    case FileDelivery::x_accel_redirect:
      return "X-Accel-Redirect";
    case FileDelivery::x_sendfile:
      return "X-Sendfile";
  }
  return std::nullopt;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
