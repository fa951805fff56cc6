#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "daemon/channel/background_closer.hpp"
#include "daemon/channel/unique_fd.hpp"
#include "daemon/master/foreign_bridges.hpp"

namespace viaduct::daemon::master {

/// What two viaductd say while one replaces the other (SIGUSR2): one line of text in a SEQPACKET
/// packet, with one descriptor where something is handed over. The two are of different versions,
/// so what is here never changes its meaning; lines of an unknown kind are ignored.
///
///   old -> new   listener made ADDRESS        a listening socket whose file the daemon made
///                listener inherited ADDRESS   one that the service manager made
///                listener control ADDRESS     the control socket
///                listeners end
///   new -> old   bridge PID                   a bridge of the new one, with its pidfd
///                ready                        every app is ready, connections are accepted
///   old -> new   bridge PID                   a bridge of the old one, with its pidfd; without
///                                             one: it has ended a moment ago
///                serve                        the service is yours; with it the socket on which
///                                             front connections come (channel/hand_over.hpp)
namespace upgrade {

inline constexpr std::string_view kMade = "listener made ";
inline constexpr std::string_view kInherited = "listener inherited ";
inline constexpr std::string_view kControl = "listener control ";
inline constexpr std::string_view kEnd = "listeners end";
inline constexpr std::string_view kReady = "ready";
inline constexpr std::string_view kBridge = "bridge ";
inline constexpr std::string_view kServe = "serve";

/// Names the descriptor of the conversation in the new one's environment.
inline constexpr const char* kVariable = "VIADUCT_UPGRADE";

/// Sends a `bridge` line.
std::error_code name_bridge(int socket, const BridgeHandle& bridge);

struct Line {
  std::string text;
  UniqueFd descriptor;
};

/// Sends without blocking.
std::error_code send(int socket, std::string_view text, int descriptor = -1);

/// What a `bridge` line names; pid 0: it is another line. The descriptor of `line` goes with it.
BridgeHandle bridge_of(Line& line);

/// The next line if one is there. `error` is set on failure and when the peer has closed; lines of
/// more than 4 KiB, or with more than one descriptor, are EBADMSG, and `closer` closes what came
/// with them.
std::optional<Line> receive(int socket, channel::BackgroundCloser& closer, std::error_code& error);

}  // namespace upgrade
}  // namespace viaduct::daemon::master
