#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/master/reload_plan.hpp"
#include "daemon/master/reload_queue.hpp"

namespace viaduct::daemon::master {

/// How far the new workers of one pool are.
struct PoolProgress {
  std::string pool;       ///< "shop", or "shop/canary"
  std::string app;        ///< "shop"
  bool added = false;     ///< the generation that serves does not have the app
  bool ready = false;     ///< all of them
  std::string failure{};  ///< why they do not become ready; "" while nothing is known of that
};

/// What becomes of the generation that is being prepared.
struct Verdict {
  enum class Kind {
    wait,
    promote,    ///< it follows the one that serves
    refuse,     ///< nothing changes, since the first of `failures` failed
    leave_out,  ///< prepare another, in which the apps of `failures` stay as they are
  };

  Kind kind = Kind::wait;
  /// With `promote`: apps that come into force although they fail, since nobody has them yet.
  std::vector<AppFailure> failures{};

  bool operator==(const Verdict&) const = default;
};

/// `bridge`: whether the bridge has started.
///
///   order        a pool fails                     all are ready, or have failed
///   keep_going   wait for the others              leave out those that failed, unless added
///   others       refuse                           promote
Verdict judge(const std::vector<PoolProgress>& pools, bool bridge, ReloadOrder::Kind order);

/// Why an app's settings are not those of the file, by its name.
using AppsBehind = std::map<std::string, std::string>;

/// The apps that are behind the file once an order has been carried out with this plan; `before`:
/// until then. `went_back`: why the former settings are in force again, "" when they are not; then
/// nothing of the file has been applied.
AppsBehind next_behind(AppsBehind before, const ReloadOrder& order, const ReloadPlan& plan,
                       const std::string& went_back);

}  // namespace viaduct::daemon::master
