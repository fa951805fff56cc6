#include "room.hpp"

#include <utility>

namespace events {
namespace {

constexpr std::size_t kRemembered = 100;
constexpr std::size_t kInbox = 2 * kRemembered;
constexpr std::size_t kListeners = 10000;

}  // namespace

std::shared_ptr<Room::Inbox> Room::listen(std::uint64_t after) {
  auto inbox = std::make_shared<Inbox>(kInbox);
  const std::lock_guard lock(mutex_);
  inboxes_.remove_if([](const std::weak_ptr<Inbox>& known) { return known.expired(); });
  if (inboxes_.size() >= kListeners) return nullptr;
  for (const Message& message : remembered_) {
    if (message.id > after) inbox->try_push(message);
  }
  inboxes_.push_back(inbox);
  return inbox;
}

void Room::say(std::string text) {
  const std::lock_guard lock(mutex_);
  const Message message{++last_, std::move(text)};
  remembered_.push_back(message);
  if (remembered_.size() > kRemembered) remembered_.pop_front();
  inboxes_.remove_if([&message](const std::weak_ptr<Inbox>& known) {
    const auto inbox = known.lock();
    if (!inbox) return true;
    if (inbox->try_push(message)) return false;
    inbox->close();
    return true;
  });
}

}  // namespace events
