#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/channel/lost_requests.hpp"
#include "daemon/master/crash_directory.hpp"
#include "daemon/master/crash_report.hpp"

namespace viaduct::daemon::master {

class LogSet;

/// Completes reports of crashed workers with what the bridges say of their requests, then logs each
/// as one record and files it. Single-threaded.
class CrashDesk {
 public:
  /// `logs` is borrowed. A bridge that has not answered after `patience` is not waited for.
  CrashDesk(boost::asio::io_context& io, const LogSet& logs,
            std::chrono::milliseconds patience = std::chrono::seconds(1))
      : io_(io), logs_(logs), patience_(patience) {}

  /// `serial` is the worker's, `directory` where the file goes; "": none is written. So many
  /// bridges are going to say, by requests_lost(), which requests they had with it.
  void open(std::uint64_t serial, CrashReport report, const std::string& directory,
            unsigned bridges);

  /// A bridge's word.
  void requests_lost(std::uint64_t serial, channel::LostRequests requests);

  /// Nothing more will be said: all that is open is finished.
  void close();

 private:
  struct Case {
    explicit Case(boost::asio::io_context& io) : timer(io) {}
    CrashReport report;
    std::string directory;
    unsigned missing = 0;
    boost::asio::steady_timer timer;
  };

  void finish(std::uint64_t serial);
  // Returns the path, or "" when there is none.
  std::string file(const CrashReport& report, const std::string& directory);

  boost::asio::io_context& io_;
  const LogSet& logs_;
  std::chrono::milliseconds patience_;
  std::map<std::uint64_t, Case> cases_;
  // Unfinished ones, by directory and app.
  std::map<std::pair<std::string, std::string>, CrashSearch> searches_;
};

}  // namespace viaduct::daemon::master
