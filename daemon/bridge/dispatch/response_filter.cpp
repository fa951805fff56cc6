#include "daemon/bridge/dispatch/response_filter.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "protocol/body_length.hpp"

namespace viaduct::daemon::bridge {

namespace {

constexpr int kSwitching = 101;

}  // namespace

protocol::Bytes ResponseFilter::feed(protocol::Bytes bytes) {
  while (!bytes.empty() && !reader_.done() && reader_.error() == protocol::Errc::ok) {
    bytes = bytes.subspan(reader_.feed(bytes));
  }
  return bytes;
}

protocol::Errc ResponseFilter::error() const {
  if (switches() && !options_.may_upgrade) return protocol::Errc::unwanted_upgrade;
  return reader_.error();
}

bool ResponseFilter::switches() const {
  return has_head() && head().status == kSwitching;
}

// The fields that nginx, Caddy, Apache, lighttpd and others know.
bool ResponseFilter::names_file() const {
  constexpr std::array<std::string_view, 6> kNames = {
      "X-Accel-Redirect",     "X-Sendfile",           "X-Sendfile2",
      "X-LIGHTTPD-send-file", "X-Sendfile-Temporary", "X-Reproxy-URL"};
  return std::any_of(kNames.begin(), kNames.end(), [this](std::string_view name) {
    return head().fields.find_nocase(name).has_value();
  });
}

bool ResponseFilter::without_body() const {
  const int status = head().status;
  if (status == kSwitching) return false;
  return (options_.head_request && !options_.pass_head_body) || protocol::contentless(status);
}

protocol::Bytes ResponseFilter::admit(protocol::Bytes bytes) {
  if (without_body()) return {};
  if (const auto length = head().content_length) {
    const std::uint64_t left = *length - admitted_;
    bytes = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
  }
  admitted_ += bytes.size();
  return bytes;
}

bool ResponseFilter::complete() const {
  return !lacks(admitted_);
}

bool ResponseFilter::lacks(std::uint64_t given) const {
  if (!has_head()) return false;
  const auto length = protocol::body_length(head(), options_.head_request);
  return length && given < *length;
}

bool ResponseFilter::delimited() const {
  return has_head() && (options_.head_request || without_body() || head().content_length);
}

}  // namespace viaduct::daemon::bridge
