#pragma once

#include <string>

#include <boost/json/value.hpp>

namespace viaduct::daemon::tool {

// Answers of viaductd as text for people. Members that are missing, because viaductd is older, show
// as nothing or zero; what cannot be printed shows as '?'.

std::string status_text(const boost::json::value& answer);
std::string requests_text(const boost::json::value& answer);

/// What follows "viaduct: " when a command failed: the errors of the configuration, one a line,
/// then the reason.
std::string error_text(const boost::json::value& answer);

/// One line each, beginning with "warning: ".
std::string warnings_text(const boost::json::value& answer);

/// "4d 3h", "3h 2m", "2m 1s", "1.5 s"
std::string duration_text(std::int64_t milliseconds);

}  // namespace viaduct::daemon::tool
