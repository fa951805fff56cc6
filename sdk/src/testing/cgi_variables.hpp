#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sdk/src/testing/outgoing.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {

using CgiVariables = std::vector<std::pair<std::string, std::string>>;

/// The request as a front server describes it (RFC 3875 section 4.1): SCRIPT_NAME is the mount,
/// empty unless Outgoing::env names one, PATH_INFO what follows it, decoded. Fields that repeat are
/// several variables. CONTENT_LENGTH comes first when it is known, as SCGI wants it; with
/// `length_needed` it is always there.
[[nodiscard]] CgiVariables cgi_variables(const Outgoing& request, bool length_needed);

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
