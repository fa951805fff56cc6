#pragma once

#include <string>
#include <string_view>

namespace viaduct::daemon::bridge {

/// What requests that probably run the same code have in common: "GET /orders/*/edit". The method
/// and the first four segments of the decoded path, in which a `*` stands for a segment that looks
/// like an identifier: one with a digit, unless it is a version such as "v2", or one of more than
/// 32 bytes. Written to `into`, whose memory is used again; at most some 150 bytes.
void route_pattern(std::string_view method, std::string_view path, std::string& into);

}  // namespace viaduct::daemon::bridge
