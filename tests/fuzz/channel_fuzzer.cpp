// What a bridge in other hands sends to its master. Messages come through a real pipe and go where
// the master hands them on: 'm' and the bytes of one packet, 'd': the bridge was told to drain.
// Long answers take the rest of the input: 'l' and a list of requests, 'r' with a count of four
// bytes and lost requests.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "daemon/channel/lost_requests.hpp"
#include "daemon/channel/message_check.hpp"
#include "daemon/channel/message_pipe.hpp"
#include "daemon/channel/request_list.hpp"
#include "daemon/master/bridge_conduct.hpp"
#include "daemon/master/server_board.hpp"
#include "tests/fuzz/invariants.hpp"

namespace {

using namespace viaduct::daemon;
using channel::Message;
using channel::Type;

constexpr std::size_t kApps = 4;

void require(bool holds) {
  if (!holds) std::abort();
}

class Master {
 public:
  // Whether the bridge lives on.
  bool receive(std::string_view packet) {
    require(::write(pipe_.writer.get(), packet.data(), packet.size()) ==
            static_cast<ssize_t>(packet.size()));
    std::error_code error;
    const auto message = channel::read_message(pipe_.reader.get(), error);
    require(message.has_value() == (packet.size() == sizeof(Message)));
    if (!message) return false;
    require(std::memcmp(&*message, packet.data(), sizeof(Message)) == 0);
    if (!channel::violation_of(*message, kApps).empty()) return false;
    if (!conduct_.violation_of(*message).empty()) return false;
    require(master::BridgeConduct::cost_of(*message) >= 1);
    if (message->type == Type::server || message->type == Type::server_gone) note(*message);
    return true;
  }
  void drain() {
    Message message;
    message.type = Type::drain;
    conduct_.told(message);
  }

 private:
  void note(const Message& message) {
    board_.note(message, 1);
    const auto servers = board_.servers();
    require(servers.size() <= master::ServerBoard::kPerAddress);
    for (const auto& server : servers) {
      require(server.name.size() < message.path.size());
      require(server.failure.size() < message.reason.size());
    }
  }

  channel::MessagePipe pipe_ = channel::make_message_pipe();
  master::BridgeConduct conduct_;
  master::ServerBoard board_;
};

void read_list(std::string_view bytes) {
  const auto requests = channel::decode_list(bytes);
  if (!requests) return;
  require(requests->size() <= channel::kMaxListed);
  // There is one form of every list.
  require(channel::encode(*requests).bytes == bytes);
}

void read_lost(std::string_view bytes) {
  std::uint32_t count = 0;
  if (bytes.size() < sizeof(count)) return;
  std::memcpy(&count, bytes.data(), sizeof(count));
  const auto lost = channel::decode(bytes.substr(sizeof(count)), count);
  require(lost.total == count && lost.lines.size() <= channel::LostRequests::kMax);
  for (const auto& line : lost.lines) require(line.size() <= channel::LostRequests::kMaxLine);
  require(channel::decode(channel::encode(lost), lost.total) == lost);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes = viaduct::test::input(data, size);
  Master master;
  while (!bytes.empty()) {
    const char what = bytes.front();
    bytes.remove_prefix(1);
    if (what == 'l') return read_list(bytes), 0;
    if (what == 'r') return read_lost(bytes), 0;
    if (what == 'd') master.drain();
    if (what != 'm' || bytes.empty()) continue;
    const std::string_view packet = bytes.substr(0, sizeof(Message));
    bytes.remove_prefix(packet.size());
    if (!master.receive(packet)) return 0;
  }
  return 0;
}
