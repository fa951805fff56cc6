#pragma once

#include <string_view>
#include <utility>

#include "tests/bench/connection.hpp"

namespace viaduct::bench {

/// One end of a Unix socket whose other end the counted program has. Gives up the run when the
/// program closes it.
class Stream {
 public:
  explicit Stream(Descriptor socket) : socket_(std::move(socket)) {}

  /// Send everything, or give up the run when the socket has no room: the program must find the
  /// whole batch in one receive.
  void send(std::string_view bytes);
  /// Everything that has arrived, valid until the next call for any stream.
  [[nodiscard]] std::string_view receive();

 private:
  Descriptor socket_;
};

/// Create a listening Unix socket, non-blocking, with a name of the kernel's choice.
Descriptor listen_somewhere();
/// Connect to a socket of listen_somewhere().
Descriptor connect_to(const Descriptor& listener);

}  // namespace viaduct::bench
