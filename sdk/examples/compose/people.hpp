#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <viaduct/router.hpp>

namespace compose {

/// A server of the Finger protocol (RFC 1288), which tells about people.
struct FingerServer {
  std::string host = "localhost";
  std::string port = "79";  ///< a number, or the name of a service
  std::chrono::milliseconds patience = std::chrono::seconds(5);  ///< for a whole answer
};

/// A part that asks another server, without holding up its thread or its loop meanwhile:
///
///     GET /NAME   what the server says about that person; 502 when it says nothing that could be
///                 passed on, 504 when it takes too long
[[nodiscard]] viaduct::Router people(FingerServer server);

}  // namespace compose
