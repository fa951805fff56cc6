#pragma once

#include <string>
#include <string_view>

#include "tests/support/fastcgi_records.hpp"

namespace viaduct::test {

/// Names and values, each behind its length.
std::string uwsgi_block(const NameValues& variables);

/// A packet header and the block. Sizes above 65535 are cut to 16 bits, as a careless sender would.
std::string uwsgi_packet(std::string_view block, unsigned modifier1 = 0, unsigned modifier2 = 0);

/// A request with CONTENT_LENGTH first, then `variables` and the body.
std::string uwsgi_request(const NameValues& variables, std::string_view body = "");

}  // namespace viaduct::test
