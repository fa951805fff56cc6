#include "daemon/bridge/dispatch/exchange_list.hpp"

#include <utility>

#include "daemon/bridge/dispatch/exchange.hpp"

namespace viaduct::daemon::bridge {

namespace {

constexpr std::size_t kRemoved = SIZE_MAX;

}  // namespace

ExchangeList::~ExchangeList() = default;

Exchange& ExchangeList::add(std::unique_ptr<Exchange> exchange) {
  reactor_.tick_soon();
  exchange->list_index_ = exchanges_.size();
  exchanges_.push_back(std::move(exchange));
  return *exchanges_.back();
}

void ExchangeList::remove(Exchange& exchange) {
  const std::size_t index = std::exchange(exchange.list_index_, kRemoved);
  if (index == kRemoved) return;
  std::swap(exchanges_[index], exchanges_.back());
  exchanges_[index]->list_index_ = index;
  std::unique_ptr<Exchange> removed = std::move(exchanges_.back());
  removed->list_index_ = kRemoved;
  exchanges_.pop_back();
  reactor_.bury(std::move(removed));
}

std::size_t ExchangeList::buffered() const {
  std::size_t sum = 0;
  for (const auto& exchange : exchanges_) sum += exchange->buffered();
  return sum;
}

void ExchangeList::tick(Clock::time_point now) {
  // A tick may remove the exchange itself or others behind it; the last one then takes its place.
  for (std::size_t i = exchanges_.size(); i-- > 0;) {
    if (i < exchanges_.size()) exchanges_[i]->tick(now);
  }
}

}  // namespace viaduct::daemon::bridge
