#include "daemon/bridge/dispatch/response_filter.hpp"

#include <algorithm>

namespace viaduct::daemon::bridge {

protocol::Bytes ResponseFilter::feed(protocol::Bytes bytes) {
  while (!bytes.empty() && !reader_.done() && reader_.error() == protocol::Errc::ok) {
    bytes = bytes.subspan(reader_.feed(bytes));
  }
  return bytes;
}

bool ResponseFilter::without_body() {
  return head_request_ || protocol::bodiless(reader_.head().status);
}

protocol::Bytes ResponseFilter::admit(protocol::Bytes bytes) {
  if (without_body()) return {};
  if (const auto length = reader_.head().content_length) {
    const std::uint64_t left = *length - admitted_;
    bytes = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
  }
  admitted_ += bytes.size();
  return bytes;
}

bool ResponseFilter::complete() {
  if (without_body()) return true;
  const auto length = reader_.head().content_length;
  return !length || *length == admitted_;
}

bool ResponseFilter::delimited() {
  return has_head() && (without_body() || reader_.head().content_length);
}

}  // namespace viaduct::daemon::bridge
