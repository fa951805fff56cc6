#include "daemon/bridge/dispatch/exchange_list.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "daemon/bridge/dispatch/exchange.hpp"

namespace viaduct::daemon::bridge {

namespace {

constexpr std::size_t kRemoved = SIZE_MAX;
constexpr std::size_t kSpare = 1024;

// The oldest first, at most `limit`.
void keep_oldest(std::vector<Exchange*>& exchanges, std::size_t limit) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(exchanges.size(), limit));
  std::partial_sort(exchanges.begin(), exchanges.begin() + count, exchanges.end(),
                    [](const Exchange* left, const Exchange* right) {
                      return left->arrived() < right->arrived();
                    });
  exchanges.resize(static_cast<std::size_t>(count));
}

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

// One that ends for want of room stays in memory until flush().
void ExchangeList::relieve() {
  std::vector<std::pair<double, Exchange*>> wanting;
  for (const auto& exchange : exchanges_) {
    if (exchange->wants_file()) {
      wanting.emplace_back(exchange->gathering_rate().value_or(0), exchange.get());
    }
  }
  std::sort(wanting.begin(), wanting.end(),
            [](const auto& left, const auto& right) { return left.first > right.first; });
  for (const auto& [rate, exchange] : wanting) exchange->relieve();
}

void ExchangeList::release_memory() {
  protocol::give_back(spare_);
}

void ExchangeList::list(const Dispatcher& app, std::size_t stacks, StackQuery::Done done) {
  std::vector<Exchange*> found;
  for (const auto& exchange : exchanges_) {
    const bool over = exchange->phase() == Exchange::Phase::done;
    if (exchange->dispatcher() == &app && !over) found.push_back(exchange.get());
  }
  RequestListing listing;
  listing.total = found.size();
  keep_oldest(found, RequestListing::kMax);
  for (const Exchange* exchange : found) listing.oldest.push_back(exchange->describe());
  stacks = std::min(stacks, found.size());
  const auto query = std::make_shared<StackQuery>(std::move(listing), std::move(done));
  for (std::size_t i = 0; i < stacks; ++i) found[i]->ask_stack(query, i);
  query->close();
  if (!query->finished()) queries_.push_back({query, reactor_.now() + kStackPatience});
}

void ExchangeList::tick(Clock::time_point now) {
  // A tick may remove the exchange itself or others behind it; the last one then takes its place.
  for (std::size_t i = exchanges_.size(); i-- > 0;) {
    if (i < exchanges_.size()) exchanges_[i]->tick(now);
  }
  expire_queries(now);
}

// While requests are open there is a tick; the last one to end has finished all of them.
void ExchangeList::expire_queries(Clock::time_point now) {
  std::erase_if(queries_, [now](const Query& waiting) {
    if (now >= waiting.until) waiting.query->expire();
    return waiting.query->finished();
  });
}

}  // namespace viaduct::daemon::bridge
