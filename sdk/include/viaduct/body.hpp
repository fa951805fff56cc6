#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {

namespace detail {
class BodySource;
}

/// The body of a request, pulled by the handler. What is not read is not taken from the client: at
/// most a window (256 KiB) of it waits in this process. A handler need not read it at all.
///
/// Reading waits as the concurrency model says: it holds up the thread, or suspends the fiber. To
/// be used by the handler only, and only until it returns.
class VIADUCT_API Body {
 public:
  /// Made by the runtime; handlers get theirs from Request::body() or Part::body.
  explicit Body(detail::BodySource& source) : source_(&source) {}
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  /// Bytes that the client announced (Content-Length); absent when it did not say.
  [[nodiscard]] std::optional<std::uint64_t> length() const;

  /// Waits for at least one byte, copies what is there, at most `into.size()` bytes, and returns
  /// how many: 0 only at the end of the body or for an empty span. Throws client_gone when the body
  /// breaks off or disagrees with Content-Length, so that a body that ends is complete, and when
  /// nobody waits for the answer any more; http_error 413 beyond middleware::body_limit() or the
  /// limits of the form that a Part belongs to.
  std::size_t read(std::span<std::byte> into);
  /// The same into characters.
  std::size_t read(std::span<char> into);

  /// What is left of the body as one string. Throws http_error 413 when that is more than `max`
  /// bytes, which a Content-Length tells before anything is read, and what read() throws.
  std::string text(std::size_t max = 1 << 20);

 private:
  detail::BodySource* source_;
};

}  // namespace v1
}  // namespace viaduct
