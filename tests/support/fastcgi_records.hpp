#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viaduct::test {

using NameValues = std::vector<std::pair<std::string, std::string>>;

/// One FastCGI record, well-formed or not: exactly what the arguments say.
std::string record(unsigned type, unsigned id, std::string_view content, std::size_t padding = 0,
                   unsigned version = 1);

/// A record as RecordWriter pads it: with zeros, to a multiple of 8 bytes.
std::string padded_record(unsigned type, unsigned id, std::string_view content);

/// BEGIN_REQUEST. Flags: 1 is FCGI_KEEP_CONN.
std::string begin_record(unsigned id, unsigned role = 1, unsigned flags = 1);
std::string abort_record(unsigned id);
std::string end_record(unsigned id, std::uint32_t app_status = 0, unsigned protocol_status = 0);
std::string credit_record(unsigned id, std::uint32_t bytes);
std::string stdin_record(unsigned id, std::string_view content, std::size_t padding = 0);

/// A name-value pair with its lengths in the shortest form.
std::string pair(std::string_view name, std::string_view value);
/// A length in the four-byte form, whatever its value.
std::string long_length(std::uint32_t length);
std::string pairs(const NameValues& variables);

/// One PARAMS record with these variables, padded to 8 bytes, and the empty one.
std::string params_records(unsigned id, const NameValues& variables);
/// A whole request: BEGIN, PARAMS, STDIN.
std::string request(unsigned id, const NameValues& variables, std::string_view body = "",
                    unsigned flags = 1);
/// GET_VALUES for these names.
std::string get_values(const NameValues& names);

}  // namespace viaduct::test
