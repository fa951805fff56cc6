#pragma once

#include <string>
#include <string_view>

#include "tests/support/fastcgi_records.hpp"

namespace viaduct::test {

/// Names and values, each followed by NUL.
std::string scgi_block(const NameValues& variables);

/// `size:text,`
std::string netstring(std::string_view text);

/// A request with CONTENT_LENGTH first, SCGI=1 second, then `variables` and the body.
std::string scgi_request(const NameValues& variables, std::string_view body = "");

}  // namespace viaduct::test
