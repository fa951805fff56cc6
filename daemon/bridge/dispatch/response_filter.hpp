#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/cgi_head.hpp"
#include "protocol/codec.hpp"

namespace viaduct::daemon::bridge {

/// Turns a worker's STDOUT into a head and the body bytes that may follow it: none for HEAD and
/// for statuses without a body, none beyond Content-Length.
///
///     bytes = filter.feed(bytes);            // takes what belongs to the head
///     if (filter.error() != Errc::ok) ...
///     if (filter.has_head()) pass on filter.head(), then filter.admit(bytes)
class ResponseFilter {
 public:
  explicit ResponseFilter(bool head_request = false) : head_request_(head_request) {}

  /// Ready for the response to another request.
  void reset(bool head_request) {
    head_request_ = head_request;
    reader_.reset();
    admitted_ = 0;
  }

  /// Returns what is left behind the head.
  protocol::Bytes feed(protocol::Bytes bytes);
  [[nodiscard]] bool has_head() const { return reader_.done(); }
  [[nodiscard]] protocol::Errc error() const { return reader_.error(); }
  [[nodiscard]] const protocol::ResponseHead& head() { return reader_.head(); }
  /// Makes it ready for the response of another worker.
  void restart() { reader_.reset(); }

  /// The part of these body bytes that is passed on. Only after has_head().
  protocol::Bytes admit(protocol::Bytes bytes);

  /// Whether a response that ends now is as long as its head announced.
  [[nodiscard]] bool complete();
  /// Whether the head says where the response ends, so that complete() does not depend on what the
  /// connection does next.
  [[nodiscard]] bool delimited();
  /// Body bytes admitted so far.
  [[nodiscard]] std::uint64_t admitted() const { return admitted_; }
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const { return reader_.memory(); }

 private:
  bool without_body();

  bool head_request_;
  protocol::CgiHeadReader reader_;
  std::uint64_t admitted_ = 0;
};

}  // namespace viaduct::daemon::bridge
