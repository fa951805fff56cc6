#include "daemon/master/upgrade_text.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <span>
#include <utility>

#include "daemon/channel/packet.hpp"

namespace viaduct::daemon::master::upgrade {

std::error_code send(int socket, std::string_view text, int descriptor) {
  return channel::send_packet(socket, std::as_bytes(std::span(text)), descriptor);
}

std::error_code name_bridge(int socket, const BridgeHandle& bridge) {
  return send(socket, std::string(kBridge) + std::to_string(bridge.pid), bridge.process.get());
}

BridgeHandle bridge_of(Line& line) {
  std::string_view text = line.text;
  if (!text.starts_with(kBridge)) return {};
  text.remove_prefix(kBridge.size());
  pid_t pid = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), pid);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (!whole || pid <= 0) return {};
  return {pid, std::move(line.descriptor)};
}

std::optional<Line> receive(int socket, channel::BackgroundCloser& closer, std::error_code& error) {
  std::array<char, 4096> bytes{};
  const auto packet =
      channel::receive_packet(socket, std::as_writable_bytes(std::span(bytes)), closer, error);
  if (!packet) return std::nullopt;
  UniqueFd descriptor(packet->descriptor);
  if (packet->cut) {
    closer.close(std::move(descriptor));
    error = std::make_error_code(std::errc::bad_message);
    return std::nullopt;
  }
  return Line{std::string(bytes.data(), packet->size), std::move(descriptor)};
}

}  // namespace viaduct::daemon::master::upgrade
