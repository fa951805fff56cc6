#pragma once

#include <optional>
#include <string_view>

#include "protocol/pairs.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The CGI variables that every request is asked about, found in one pass. Views of the pairs
/// scanned. What was not sent is empty.
struct Variables {
  std::string_view method;
  std::string_view request_uri;
  std::string_view script_name;
  std::optional<std::string_view> path_info;
  std::string_view document_uri;
  std::string_view script_filename;
  std::string_view server_software;
  std::string_view query_string;
  std::string_view deadline_ms;  ///< VIADUCT_DEADLINE_MS
  std::string_view send_file;    ///< VIADUCT_SEND_FILE

  static Variables scan(const protocol::Pairs& params);
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
