#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <viaduct/fields.hpp>

namespace viaduct {
inline namespace v1 {
namespace testing {

/// A request on its way to the application.
struct Outgoing {
  std::string method;
  std::string target;  ///< path and query
  Fields fields;       ///< Host included; Content-Length only when the test set it
  std::vector<std::pair<std::string, std::string>> env;  ///< in place of variables of the same name
  std::vector<std::string> pieces;                       ///< of the body
  bool chunked = false;  ///< the client does not say how long the body is
  std::string id;        ///< value for REQUEST_ID; empty when the test names the request itself

  [[nodiscard]] std::uint64_t body_size() const {
    std::uint64_t size = 0;
    for (const std::string& piece : pieces) size += piece.size();
    return size;
  }
  /// Whether a length is announced: not for a GET without a body.
  [[nodiscard]] bool announces_length() const {
    return !chunked && (body_size() > 0 || !(method == "GET" || method == "HEAD" ||
                                             method == "DELETE" || method == "OPTIONS"));
  }
};

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
