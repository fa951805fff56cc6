#pragma once

#include <chrono>
#include <map>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace viaduct::daemon::master {

class CgroupTree;

/// The cgroups of workers that have ended. Processes that a worker has started and left are in its
/// cgroup, whatever session, parent or environment they have taken since. They get a time to end by
/// themselves, then they are killed. A cgroup is removed once it is empty.
///
/// Single-threaded.
class Remains {
 public:
  /// Both are borrowed and outlive this object.
  Remains(boost::asio::io_context& io, CgroupTree& cgroups);
  /// Kills what is left in all of them.
  ~Remains();
  Remains(const Remains&) = delete;
  Remains& operator=(const Remains&) = delete;

  /// The worker with the cgroup `name` has ended. `grace`: how long others in it may go on, from
  /// now; 0: for as long as this object lives.
  void add(std::string name, std::chrono::milliseconds grace);

  /// A process has ended that belonged to a worker no more: its cgroup may be empty now.
  void look();

 private:
  void expired(const std::string& name);

  boost::asio::io_context& io_;
  CgroupTree& cgroups_;
  std::map<std::string, boost::asio::steady_timer> waiting_;  // by name, within their grace
};

}  // namespace viaduct::daemon::master
