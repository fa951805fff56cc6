#include "daemon/master/reload_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace viaduct::daemon::master {

namespace {

bool is_of_one_app(const ReloadQueue::Request& request) {
  return !request.order.app.empty();
}

}  // namespace

bool ReloadQueue::add(ReloadOrder order, const Done& done) {
  auto request = std::find_if(requests_.begin(), requests_.end(),
                              [&order](const Request& known) { return known.order == order; });
  if (request == requests_.end()) {
    const auto others = std::count_if(requests_.begin(), requests_.end(), is_of_one_app);
    if (!order.app.empty() && others >= std::ptrdiff_t{kMaxOfApps}) return false;
    request = requests_.insert(requests_.end(), {std::move(order), {}});
  }
  if (done) request->waiting.push_back(done);
  return true;
}

bool ReloadQueue::has_whole() const {
  return std::any_of(requests_.begin(), requests_.end(), [](const Request& request) {
    return request.order.kind == ReloadOrder::Kind::whole ||
           request.order.kind == ReloadOrder::Kind::keep_going;
  });
}

ReloadQueue::Request ReloadQueue::take() {
  Request first = std::move(requests_.front());
  requests_.pop_front();
  return first;
}

std::vector<ReloadQueue::Done> ReloadQueue::clear() {
  std::vector<Done> waiting;
  for (Request& request : requests_) {
    std::move(request.waiting.begin(), request.waiting.end(), std::back_inserter(waiting));
  }
  requests_.clear();
  return waiting;
}

}  // namespace viaduct::daemon::master
