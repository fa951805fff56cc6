#include "daemon/bridge/dispatch/stack_query.hpp"

#include <algorithm>
#include <utility>

#include "daemon/log/escape.hpp"

namespace viaduct::daemon::bridge {

namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.push_back(log::escape(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

StackQuery::StackQuery(RequestListing listing, Done done)
    : listing_(std::move(listing)), done_(std::move(done)) {}

void StackQuery::expect(std::size_t place) {
  listing_.oldest[place].no_stack = "no answer in time";
  ++missing_;
}

void StackQuery::answer(std::size_t place, std::string_view text) {
  if (finished_) return;
  RequestEntry& entry = listing_.oldest[place];
  entry.stack = lines_of(text);
  entry.no_stack = entry.stack.empty() ? "its worker does not know" : "";
  arrived();
}

void StackQuery::fail(std::size_t place, std::string_view why) {
  if (finished_) return;
  const bool expected = !std::exchange(listing_.oldest[place].no_stack, why).empty();
  if (expected) arrived();
}

void StackQuery::arrived() {
  if (--missing_ == 0 && closed_) finish();
}

void StackQuery::close() {
  closed_ = true;
  if (missing_ == 0) finish();
}

void StackQuery::finish() {
  if (std::exchange(finished_, true)) return;
  done_(std::move(listing_));
}

}  // namespace viaduct::daemon::bridge
