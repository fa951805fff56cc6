// How many descriptors viaductd needs, by its settings.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/config/settings.hpp"

namespace viaduct::daemon::config {

// Of one bridge when everything that the settings allow is there at once. Pure.
struct DescriptorNeed {
  std::uint64_t connections = 0;  // limits.connections
  std::uint64_t files = 0;        // a gathered body and a response on disk for each of them
  std::uint64_t links = 0;        // to workers and to servers of others
  std::uint64_t threads = 0;      // event loops, and a copy of every listener for each
  std::uint64_t others = 0;       // logs, channels

  [[nodiscard]] std::uint64_t total() const {
    return connections + files + links + threads + others;
  }
};

DescriptorNeed descriptor_need(const Settings& settings);

// Of the master, which has no connections: sockets, and a few for each app and worker.
std::uint64_t descriptors_of_master(const Settings& settings);

// "49420 descriptors: 16384 for connections, 32768 for files of requests and responses, ...".
std::string describe(const DescriptorNeed& need);

}  // namespace viaduct::daemon::config
