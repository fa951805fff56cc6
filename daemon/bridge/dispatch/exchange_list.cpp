#include "daemon/bridge/dispatch/exchange_list.hpp"

#include <algorithm>
#include <utility>

#include "daemon/bridge/dispatch/exchange.hpp"

namespace viaduct::daemon::bridge {

namespace {

constexpr std::size_t kRemoved = SIZE_MAX;
constexpr std::size_t kSpare = 1024;

}  // namespace

ExchangeList::~ExchangeList() {
  reactor_.forget(*this);
}

Exchange& ExchangeList::add(Services& services) {
  reactor_.tick_soon();
  if (spare_.empty()) {
    exchanges_.push_back(std::make_unique<Exchange>(services));
  } else {
    exchanges_.push_back(std::move(spare_.back()));
    spare_.pop_back();
  }
  exchanges_.back()->list_index_ = exchanges_.size() - 1;
  return *exchanges_.back();
}

void ExchangeList::remove(Exchange& exchange) {
  const std::size_t index = std::exchange(exchange.list_index_, kRemoved);
  if (index == kRemoved) return;
  removed_.push_back(std::move(exchanges_[index]));
  if (index + 1 < exchanges_.size()) {
    exchanges_[index] = std::move(exchanges_.back());
    exchanges_[index]->list_index_ = index;
  }
  exchanges_.pop_back();
  reactor_.flush_soon(*this);
}

void ExchangeList::flush() {
  for (auto& exchange : removed_) {
    exchange->retire();
    if (spare_.size() < kSpare) spare_.push_back(std::move(exchange));
  }
  removed_.clear();
}

std::size_t ExchangeList::buffered() const {
  std::size_t sum = 0;
  for (const auto& exchange : exchanges_) sum += exchange->buffered();
  return sum;
}

RequestListing ExchangeList::list(const Dispatcher& app) const {
  std::vector<const Exchange*> found;
  for (const auto& exchange : exchanges_) {
    const bool over = exchange->phase() == Exchange::Phase::done;
    if (exchange->dispatcher() == &app && !over) found.push_back(exchange.get());
  }
  RequestListing listing;
  listing.total = found.size();
  const auto older = [](const Exchange* left, const Exchange* right) {
    return left->arrived() < right->arrived();
  };
  if (found.size() > RequestListing::kMax) {
    const auto end = found.begin() + RequestListing::kMax;
    std::nth_element(found.begin(), end, found.end(), older);
    found.erase(end, found.end());
  }
  for (const Exchange* exchange : found) listing.oldest.push_back(exchange->describe());
  return listing;
}

void ExchangeList::tick(Clock::time_point now) {
  // A tick may remove the exchange itself or others behind it; the last one then takes its place.
  for (std::size_t i = exchanges_.size(); i-- > 0;) {
    if (i < exchanges_.size()) exchanges_[i]->tick(now);
  }
}

}  // namespace viaduct::daemon::bridge
