#pragma once

#include <filesystem>
#include <string_view>

#include "sdk/src/files/confined_open.hpp"
#include "sdk/src/response_state.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Answers with a file that was opened, or not: then errno says why. `path` names it in messages
/// and gives the media type; `download_name` may be empty. See Response::send_file().
void send_file(ResponseState& response, const FileDescriptor& file,
               const std::filesystem::path& path, std::string_view download_name);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
