#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/cgi_head.hpp"
#include "protocol/codec.hpp"

namespace viaduct::daemon::bridge {

/// Turns a worker's STDOUT into a head and the body bytes that may follow it: none for statuses
/// without a body, none for HEAD unless the front wants them, none beyond Content-Length.
///
/// A response to HEAD is complete with its body, without one, and with a part of one: its client
/// gets the head only, and a front that keeps the body compares it with Content-Length itself.
///
/// Bytes behind a 101 that may pass belong to another protocol, whatever its head says.
///
///     bytes = filter.feed(bytes);            // takes what belongs to the head
///     if (filter.error() != Errc::ok) ...
///     if (filter.has_head()) pass on filter.head(), then filter.admit(bytes)
class ResponseFilter {
 public:
  struct Options {
    bool head_request = false;
    /// Whether the body of a response to HEAD is let through.
    bool pass_head_body = false;
    /// Whether the request asked for an upgrade, and its listener allows one: else a 101 is an
    /// error.
    bool may_upgrade = false;
    protocol::HeadRules rules = protocol::HeadRules::lenient;
  };

  ResponseFilter() = default;
  explicit ResponseFilter(const Options& options) { reset(options); }

  /// Ready for the response to another request.
  void reset(const Options& options) {
    options_ = options;
    admitted_ = 0;
    restart();
  }

  /// Returns what is left behind the head.
  protocol::Bytes feed(protocol::Bytes bytes);
  [[nodiscard]] bool has_head() const { return reader_.done(); }
  [[nodiscard]] protocol::Errc error() const;
  [[nodiscard]] const protocol::ResponseHead& head() const { return reader_.head(); }
  /// Whether the head is a 101: from here on both ends speak another protocol.
  [[nodiscard]] bool switches() const;
  /// Whether the head names a file for the front to deliver, as X-Sendfile does. Only after
  /// has_head().
  [[nodiscard]] bool names_file() const;
  /// Makes it ready for the response of another worker.
  void restart() { reader_.reset(options_.rules); }
  /// The first mend of the head, and its line; see CgiHeadReader.
  [[nodiscard]] protocol::Mend mend() const { return reader_.mend(); }
  [[nodiscard]] std::string_view mended_line() const { return reader_.mended_line(); }

  /// The part of these body bytes that is passed on. Only after has_head().
  protocol::Bytes admit(protocol::Bytes bytes);

  /// Whether a response that ends now is as long as its head announced.
  [[nodiscard]] bool complete() const;
  /// Whether the head says where the response ends, so that complete() does not depend on what the
  /// connection does next.
  [[nodiscard]] bool delimited() const;
  /// Whether the head announced more bytes than came, and a client waits for them.
  [[nodiscard]] bool falls_short() const { return lacks(admitted_); }
  /// Whether a client that was given so many body bytes waits for more that the head announced.
  [[nodiscard]] bool lacks(std::uint64_t given) const;
  /// Body bytes admitted so far.
  [[nodiscard]] std::uint64_t admitted() const { return admitted_; }
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const { return reader_.memory(); }

 private:
  [[nodiscard]] bool without_body() const;

  Options options_;
  protocol::CgiHeadReader reader_;
  std::uint64_t admitted_ = 0;
};

}  // namespace viaduct::daemon::bridge
