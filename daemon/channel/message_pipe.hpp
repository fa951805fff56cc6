#pragma once

#include <optional>
#include <system_error>

#include "daemon/channel/message.hpp"
#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::channel {

/// The way from bridge to master: a pipe in packet mode (O_DIRECT). A pipe carries bytes and no
/// descriptors, so that a bridge in other hands can give the master none.
struct MessagePipe {
  UniqueFd reader;
  UniqueFd writer;
};

/// Both ends are non-blocking and close-on-exec. Throws std::system_error.
MessagePipe make_message_pipe();

/// Writes one message without blocking: whole or not at all. EAGAIN when the pipe is full, EPIPE
/// when nobody reads any more (SIGPIPE is ignored by both processes).
std::error_code write_message(int pipe, const Message& message);

/// The next message if one is there. `error` is set on failure, to ENOTCONN when the writer has
/// closed its end, and to EBADMSG for a packet of another size.
std::optional<Message> read_message(int pipe, std::error_code& error);

}  // namespace viaduct::daemon::channel
