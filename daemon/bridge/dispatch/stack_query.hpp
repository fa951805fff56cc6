#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "daemon/bridge/reactor.hpp"
#include "daemon/bridge/request_listing.hpp"

namespace viaduct::daemon::bridge {

/// A list of requests whose handlers are being asked what they do. It is finished when all have
/// answered or will not any more, or when it expires.
///
/// Single-threaded; shared by the requests that have yet to answer and the list of exchanges.
class StackQuery {
 public:
  using Done = std::function<void(RequestListing)>;

  /// `listing`: without stacks. `done` is called once, by whatever finishes it.
  StackQuery(RequestListing listing, Done done);

  /// The request of that place in the listing is being asked; answer() or fail() follows, or
  /// nothing.
  void expect(std::size_t place);
  /// `text`: a stack, one frame a line; empty when its worker does not know.
  void answer(std::size_t place, std::string_view text);
  /// There will be no stack; `why`: a literal. With or without expect() before.
  void fail(std::size_t place, std::string_view why);

  /// All that are to be asked have been.
  void close();
  /// Stops waiting for what is missing.
  void expire() { finish(); }
  [[nodiscard]] bool finished() const { return finished_; }

 private:
  void arrived();
  void finish();

  RequestListing listing_;
  Done done_;
  std::size_t missing_ = 0;
  bool closed_ = false;
  bool finished_ = false;
};

}  // namespace viaduct::daemon::bridge
