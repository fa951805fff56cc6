#include "sdk/src/variables.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

Variables Variables::scan(const protocol::Pairs& params) {
  Variables found;
  for (const auto [name, value] : params) {
    // The length alone tells most names apart, so that a name is compared at most twice.
    switch (name.size()) {
      case 9:
        if (name == "PATH_INFO") found.path_info = value;
        break;
      case 11:
        if (name == "REQUEST_URI") {
          found.request_uri = value;
        } else if (name == "SCRIPT_NAME") {
          found.script_name = value;
        }
        break;
      case 12:
        if (name == "QUERY_STRING") {
          found.query_string = value;
        } else if (name == "DOCUMENT_URI") {
          found.document_uri = value;
        }
        break;
      case 14:
        if (name == "REQUEST_METHOD") found.method = value;
        break;
      case 15:
        if (name == "SCRIPT_FILENAME") {
          found.script_filename = value;
        } else if (name == "SERVER_SOFTWARE") {
          found.server_software = value;
        }
        break;
      case 17:
        if (name == "VIADUCT_SEND_FILE") found.send_file = value;
        break;
      case 19:
        if (name == "VIADUCT_DEADLINE_MS") found.deadline_ms = value;
        break;
      default:
        break;
    }
  }
  return found;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
