#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <viaduct/app.hpp>

namespace viaduct::test {

/// A request to be answered in the calling thread, without a transport.
struct Call {
  std::string method = "GET";
  std::string target = "/";
  /// CGI variables besides method and target: HTTP_ORIGIN, REMOTE_ADDR, ...
  std::vector<std::pair<std::string, std::string>> variables{};
  std::string body{};
  bool length_known = true;
};

/// What came of a Call.
struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields{};
  std::string body{};
  bool broken = false;  ///< ended so that it does not look complete
  /// Of a stream: how often it gets a heartbeat, 0 for never. Absent: it is not a stream.
  std::optional<std::chrono::milliseconds> heartbeat{};

  [[nodiscard]] std::optional<std::string> field(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
};

/// Has `app` answer `call`.
Answer answer(const App& app, const Call& call);

}  // namespace viaduct::test
