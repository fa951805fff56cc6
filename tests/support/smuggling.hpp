#pragma once

#include <string>
#include <vector>

namespace viaduct::test {

/// What a client sends on one HTTP connection so that somebody in front of us, or behind us, reads
/// other requests in it than we do, and what is to become of it.
struct Smuggling {
  std::string name;   ///< unique; letters and digits
  std::string bytes;  ///< all that the client sends
  /// What the application has to see, and nothing else: "METHOD target body", where a body that is
  /// not complete ends with "...". Each is answered with 200 before the next one comes.
  std::vector<std::string> requests{};
  /// Status of the answer behind which the connection is closed; 0: it stays open.
  int closed_with = 0;
  /// What holds of the last request's variables: "NAME=value", or "!NAME" for one that is not set.
  std::vector<std::string> variables{};
};

/// Request lines, versions, targets, field lines, Host.
std::vector<Smuggling> smuggled_in_heads();
/// Content-Length and Transfer-Encoding.
std::vector<Smuggling> smuggled_by_lengths();
/// The chunked coding and its trailer.
std::vector<Smuggling> smuggled_in_chunks();

/// All of them.
inline std::vector<Smuggling> smuggling_table() {
  std::vector<Smuggling> all = smuggled_in_heads();
  for (auto part : {smuggled_by_lengths(), smuggled_in_chunks()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

/// A request that must not come to light where it stands inside another one.
inline const std::string kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace viaduct::test
