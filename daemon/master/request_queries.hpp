#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/channel/request_list.hpp"
#include "daemon/master/control/commands.hpp"

namespace viaduct::daemon::master {

/// Questions to bridges for their requests in flight, until all have answered or time is over.
/// Single-threaded.
class RequestQueries {
 public:
  using Done = std::function<void(std::vector<control::RequestList>)>;

  explicit RequestQueries(boost::asio::io_context& io,
                          std::chrono::milliseconds patience = std::chrono::seconds(2))
      : io_(io), patience_(patience) {}

  /// The number of the next question.
  std::uint64_t next() const { return next_; }

  /// Asks question next() of the bridges of these generations; `done` is called from the event
  /// loop, with one list for each of them in the same order.
  void begin(const std::vector<unsigned>& generations, Done done);

  /// A bridge's answer. Late ones are ignored.
  void answer(std::uint64_t question, unsigned generation, std::uint32_t omitted,
              std::vector<channel::ListedRequest> requests);

 private:
  struct Query {
    explicit Query(boost::asio::io_context& io) : timer(io) {}
    std::vector<control::RequestList> lists;
    Done done;
    boost::asio::steady_timer timer;
  };

  void finish(std::uint64_t question);

  boost::asio::io_context& io_;
  std::chrono::milliseconds patience_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, Query> queries_;
};

}  // namespace viaduct::daemon::master
