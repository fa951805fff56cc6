#include "daemon/master/request_queries.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::daemon::master {

void RequestQueries::begin(const std::vector<unsigned>& generations, Done done) {
  const std::uint64_t question = next_++;
  Query& query = queries_.try_emplace(question, io_).first->second;
  query.done = std::move(done);
  for (const unsigned generation : generations) query.lists.push_back({.generation = generation});
  query.timer.expires_after(generations.empty() ? std::chrono::milliseconds(0) : patience_);
  query.timer.async_wait([this, question](const boost::system::error_code& error) {
    if (!error) finish(question);
  });
}

void RequestQueries::answer(std::uint64_t question, unsigned generation, std::uint32_t omitted,
                            std::vector<channel::ListedRequest> requests) {
  const auto query = queries_.find(question);
  if (query == queries_.end()) return;
  auto& lists = query->second.lists;
  const auto mine = std::find_if(lists.begin(), lists.end(), [&](const auto& candidate) {
    return candidate.generation == generation && !candidate.answered;
  });
  if (mine == lists.end()) return;
  mine->answered = true;
  mine->omitted = omitted;
  mine->requests = std::move(requests);
  const bool all = std::all_of(lists.begin(), lists.end(),
                               [](const auto& candidate) { return candidate.answered; });
  if (all) finish(question);
}

void RequestQueries::finish(std::uint64_t question) {
  auto query = queries_.extract(question);
  if (query) query.mapped().done(std::move(query.mapped().lists));
}

}  // namespace viaduct::daemon::master
