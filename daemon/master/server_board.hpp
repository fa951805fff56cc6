#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "daemon/channel/message.hpp"

namespace viaduct::daemon::master {

/// What a bridge says of the servers of an app that others run.
class ServerBoard {
 public:
  struct Server {
    std::string name;  ///< its address
    bool up = true;
    std::uint32_t active = 0;    ///< requests at it
    std::uint64_t requests = 0;  ///< given to it since the bridge knows it
    std::string failure;         ///< why it is down; "" when it is up
  };

  /// A message of type server or server_gone. Of an app with so many addresses no more than
  /// kPerAddress servers for each are kept.
  void note(const channel::Message& message, std::size_t addresses);
  static constexpr std::size_t kPerAddress = 128;
  /// In the order of the configuration.
  [[nodiscard]] std::vector<Server> servers() const;

 private:
  std::map<std::uint64_t, Server> servers_;  // by serial
};

}  // namespace viaduct::daemon::master
