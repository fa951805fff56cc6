#include "daemon/bridge/memory/giving_up.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::daemon::bridge {

namespace {

template <class Less>
std::size_t pop(std::vector<std::size_t>& heap, Less less) {
  std::pop_heap(heap.begin(), heap.end(), less);
  const std::size_t front = heap.back();
  heap.pop_back();
  return front;
}

}  // namespace

GivingUp::GivingUp(std::vector<Holding> holdings) : holdings_(std::move(holdings)) {
  for (std::size_t i = 0; i < holdings_.size(); ++i) {
    by_size_.push_back(i);
    if (holdings_[i].rate) by_rate_.push_back(i);
  }
  std::make_heap(by_size_.begin(), by_size_.end(),
                 [this](std::size_t left, std::size_t right) { return smaller(left, right); });
  std::make_heap(by_rate_.begin(), by_rate_.end(),
                 [this](std::size_t left, std::size_t right) { return later(left, right); });
}

std::optional<std::size_t> GivingUp::next() {
  if (by_size_.empty()) return std::nullopt;
  const std::size_t largest =
      pop(by_size_, [this](std::size_t left, std::size_t right) { return smaller(left, right); });
  if (!holdings_[largest].rate) return largest;
  return pop(by_rate_, [this](std::size_t left, std::size_t right) { return later(left, right); });
}

bool GivingUp::smaller(std::size_t left, std::size_t right) const {
  return holdings_[left].bytes < holdings_[right].bytes;
}

bool GivingUp::later(std::size_t left, std::size_t right) const {
  const double first = *holdings_[left].rate;
  const double second = *holdings_[right].rate;
  return first != second ? first > second : smaller(left, right);
}

}  // namespace viaduct::daemon::bridge
