#include "daemon/bridge/link/plain_links.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::daemon::bridge {

std::size_t PlainLinks::idle_count() const {
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(),
                                                [](const Entry& entry) { return !entry.busy; }));
}

std::size_t PlainLinks::heard_count() const {
  return static_cast<std::size_t>(std::count_if(
      entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.link->heard(); }));
}

bool PlainLinks::silent_since(Clock::time_point then) const {
  return std::any_of(entries_.begin(), entries_.end(), [then](const Entry& entry) {
    return entry.busy && !entry.link->heard() && entry.link->delivered() &&
           entry.link->begun_at() <= then;
  });
}

PlainLinks::Entry& PlainLinks::add(std::shared_ptr<Link> link) {
  return entries_.emplace_back(Entry{.link = std::move(link)});
}

void PlainLinks::rest(Entry& entry, Clock::time_point now) {
  entry.busy = false;
  entry.used = true;
  entry.idle_since = now;
}

PlainLinks::Entry* PlainLinks::idle() {
  Entry* found = nullptr;
  for (Entry& entry : entries_) {
    if (entry.busy) continue;
    if (found == nullptr || entry.idle_since < found->idle_since) found = &entry;
  }
  return found;
}

PlainLinks::Entry* PlainLinks::find(const Link& link) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.link.get() == &link; });
  return found == entries_.end() ? nullptr : &*found;
}

std::shared_ptr<Link> PlainLinks::take(const Link& link) {
  Entry* const entry = find(link);
  if (entry == nullptr) return nullptr;
  auto taken = std::move(entry->link);
  entries_.erase(entries_.begin() + (entry - entries_.data()));
  return taken;
}

template <class Condition>
void PlainLinks::close_if(Condition condition, const std::string& reason) {
  for (std::size_t i = entries_.size(); i-- > 0;) {
    if (i >= entries_.size() || !condition(entries_[i])) continue;
    const auto link = entries_[i].link;
    link->close(reason);
  }
}

void PlainLinks::close_all(const std::string& reason) {
  while (!entries_.empty()) {
    const auto link = entries_.back().link;
    link->close(reason);
  }
}

void PlainLinks::close_idle(const std::string& reason) {
  close_if([](const Entry& entry) { return !entry.busy; }, reason);
}

void PlainLinks::close_idle_since(Clock::time_point then, const std::string& reason) {
  close_if([then](const Entry& entry) { return !entry.busy && entry.idle_since <= then; }, reason);
}

bool PlainLinks::is_unread(const Entry& entry, Clock::time_point now,
                           std::chrono::milliseconds least) {
  return entry.busy && now - entry.link->begun_at() >= unread_patience(least, entry.moves) &&
         entry.link->unread();
}

bool PlainLinks::has_unread(Clock::time_point now, std::chrono::milliseconds least) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return is_unread(entry, now, least); });
}

void PlainLinks::take_back_unread(Clock::time_point now, std::chrono::milliseconds least,
                                  const std::string& reason) {
  for (std::size_t i = entries_.size(); i-- > 0;) {
    if (i >= entries_.size() || !is_unread(entries_[i], now, least)) continue;
    const auto link = entries_[i].link;
    link->take_back(reason);
  }
}

void PlainLinks::close_connecting_since(Clock::time_point then, const std::string& reason) {
  close_if(
      [then](const Entry& entry) {
        return entry.link->connecting() && entry.link->since() <= then;
      },
      reason);
}

}  // namespace viaduct::daemon::bridge
