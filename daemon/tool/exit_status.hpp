#pragma once

namespace viaduct::daemon::tool {

/// How the viaduct command ends; the numbers are those of sysexits.h.
enum ExitStatus : int {
  kDone = 0,
  kRefused = 1,        ///< viaductd said no, and why
  kUsage = 64,         ///< the command line is wrong
  kUnreachable = 69,   ///< no viaductd answers at the control socket
  kInternal = 70,      ///< something is wrong in viaduct or viaductd
  kTimedOut = 75,      ///< no answer within --timeout; what was asked for may still happen
  kConfiguration = 78  ///< the configuration has errors, nothing has changed
};

/// What an answer with this HTTP status means.
constexpr ExitStatus exit_status(int http_status) {
  switch (http_status) {
    case 200:
      return kDone;
    case 422:
      return kConfiguration;
    case 403:
    case 404:
    case 409:
    case 501:
    case 503:
      return kRefused;
    default:
      return kInternal;
  }
}

}  // namespace viaduct::daemon::tool
