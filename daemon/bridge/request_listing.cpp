#include "daemon/bridge/request_listing.hpp"

#include <algorithm>
#include <initializer_list>
#include <iterator>

#include "daemon/log/escape.hpp"

namespace viaduct::daemon::bridge {

namespace {

constexpr std::size_t kMaxId = 64;
constexpr std::size_t kMaxMethod = 32;
constexpr std::size_t kMaxTarget = 256;

std::string cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  return std::string(text.substr(0, limit)) + "...";
}

std::string_view id_of(const protocol::Pairs& params) {
  for (const std::string_view name : {"REQUEST_ID", "UNIQUE_ID", "HTTP_X_REQUEST_ID"}) {
    const auto value = params.get(name);
    if (value && !value->empty()) return *value;
  }
  return {};
}

}  // namespace

RequestEntry describe_request(const protocol::Pairs& params) {
  RequestEntry entry;
  entry.id = log::escape(cut(id_of(params), kMaxId));
  entry.method = log::escape(cut(params.get("REQUEST_METHOD").value_or(""), kMaxMethod));
  entry.target = log::escape(cut(params.get("REQUEST_URI").value_or(""), kMaxTarget));
  return entry;
}

std::string summarize_request(const protocol::Pairs& params, std::chrono::milliseconds age,
                              std::string_view state) {
  std::string line = cut(params.get("REQUEST_METHOD").value_or("-"), kMaxMethod);
  line += ' ' + cut(params.get("REQUEST_URI").value_or("-"), kMaxTarget);
  if (const auto id = id_of(params); !id.empty()) line += " id=" + cut(id, kMaxId);
  line += " age_ms=" + std::to_string(age.count()) + ' ';
  return line.append(state);
}

RequestListing merge(std::vector<RequestListing> parts) {
  RequestListing whole;
  for (RequestListing& part : parts) {
    whole.total += part.total;
    whole.oldest.insert(whole.oldest.end(), std::make_move_iterator(part.oldest.begin()),
                        std::make_move_iterator(part.oldest.end()));
  }
  std::stable_sort(whole.oldest.begin(), whole.oldest.end(),
                   [](const auto& left, const auto& right) { return left.age > right.age; });
  if (whole.oldest.size() > RequestListing::kMax) whole.oldest.resize(RequestListing::kMax);
  for (std::size_t i = RequestListing::kMaxStacks; i < whole.oldest.size(); ++i) {
    whole.oldest[i].stack.clear();
    whole.oldest[i].no_stack = {};
  }
  return whole;
}

std::vector<channel::ListedRequest> to_listed(const RequestListing& listing) {
  std::vector<channel::ListedRequest> listed;
  for (const RequestEntry& entry : listing.oldest) {
    listed.push_back({.id = entry.id,
                      .method = entry.method,
                      .target = entry.target,
                      .state = std::string(entry.state),
                      .no_stack = std::string(entry.no_stack),
                      .age_ms = static_cast<std::uint64_t>(entry.age.count()),
                      .worker_pid = entry.worker_pid,
                      .stack = entry.stack});
  }
  return listed;
}

}  // namespace viaduct::daemon::bridge
