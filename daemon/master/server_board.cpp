#include "daemon/master/server_board.hpp"

namespace viaduct::daemon::master {

void ServerBoard::note(const channel::Message& message, std::size_t addresses) {
  if (message.type == channel::Type::server_gone) {
    servers_.erase(message.serial);
    return;
  }
  if (servers_.size() >= addresses * kPerAddress && !servers_.contains(message.serial)) return;
  Server& server = servers_[message.serial];
  server.name = message.path.data();
  server.up = message.state == channel::AppState::serving;
  server.active = message.busy;
  server.requests += message.count;
  server.failure = message.reason.data();
}

std::vector<ServerBoard::Server> ServerBoard::servers() const {
  std::vector<Server> servers;
  for (const auto& [serial, server] : servers_) servers.push_back(server);
  return servers;
}

}  // namespace viaduct::daemon::master
