#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace viaduct::protocol {

/// The two ends of a connection as a PROXY protocol header names them. Empty when it does not:
/// `UNKNOWN`, `LOCAL`, and what is neither TCP over IPv4 nor over IPv6.
struct ProxyHeader {
  std::string source = {};            ///< address of the client, as text
  std::string source_port = {};       ///< decimal
  std::string destination = {};       ///< address that it connected to
  std::string destination_port = {};  ///< decimal
  bool local = false;  ///< `LOCAL`: the proxy speaks for itself, as in a health check

  bool operator==(const ProxyHeader&) const = default;
};

/// Reads the PROXY protocol header (version 1 or 2, haproxy's proxy-protocol.txt) with which a
/// proxy may begin a connection. A header is at most kMaxSize bytes; its additions (TLVs) are
/// skipped.
class ProxyHeaderReader {
 public:
  static constexpr std::size_t kMaxSize = 4096;
  enum class State : std::uint8_t {
    reading,  ///< more bytes are needed
    absent,   ///< the connection begins with something else: text()
    done,     ///< header() says what it said
    bad,      ///< it is malformed, or too large
  };

  /// Returns how many bytes it took.
  std::size_t feed(std::string_view bytes);
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const ProxyHeader& header() const { return header_; }
  /// The bytes taken so far.
  [[nodiscard]] std::string_view text() const { return text_; }
  /// Bytes of memory that it holds.
  [[nodiscard]] std::size_t memory() const;

 private:
  void take_line();
  void take_binary();

  State state_ = State::reading;
  std::string text_;
  ProxyHeader header_;
};

}  // namespace viaduct::protocol
