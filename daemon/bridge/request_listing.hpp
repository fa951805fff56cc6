#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/channel/request_list.hpp"
#include "protocol/pairs.hpp"

namespace viaduct::daemon::bridge {

/// One request in flight, for somebody who looks at it. Texts that clients sent are cut and
/// escaped.
struct RequestEntry {
  std::string id;  ///< that a front server or client gave it; "" when none did
  std::string method;
  std::string target;
  std::chrono::milliseconds age{0};
  int worker_pid = 0;      ///< 0: no worker has it
  std::string_view state;  ///< a literal: queued, working, streaming, aborting

  // Where stacks were asked for.
  std::vector<std::string> stack{};  ///< of its handler, a frame each, escaped
  std::string_view no_stack{};       ///< a literal: why there is none; "": there is, or not asked

  bool operator==(const RequestEntry&) const = default;
};

/// id, method and target from the CGI variables; the id is REQUEST_ID, UNIQUE_ID or X-Request-Id,
/// the first that is not empty.
RequestEntry describe_request(const protocol::Pairs& params);

/// "GET /orders/17 id=5f3a age_ms=120 working": the same, cut but not escaped. At most
/// channel::LostRequests::kMaxLine bytes.
std::string summarize_request(const protocol::Pairs& params, std::chrono::milliseconds age,
                              std::string_view state);

/// The requests of one app.
struct RequestListing {
  static constexpr std::size_t kMax = channel::kMaxListed;
  /// So many of the oldest may have stacks.
  static constexpr std::size_t kMaxStacks = channel::kMaxListedStacks;

  std::vector<RequestEntry> oldest;  ///< at most kMax
  std::size_t total = 0;

  bool operator==(const RequestListing&) const = default;
};

/// Those of several threads together, the oldest first; stacks beyond kMaxStacks are dropped.
RequestListing merge(std::vector<RequestListing> parts);

/// `oldest`, as the master is told.
std::vector<channel::ListedRequest> to_listed(const RequestListing& listing);

}  // namespace viaduct::daemon::bridge
