#include "daemon/master/reload_notes.hpp"

namespace viaduct::daemon::master {

namespace {

std::string with_keys(const std::string& name, const std::vector<std::string>& keys) {
  std::string text;
  for (const std::string& key : keys) text += (text.empty() ? "" : ", ") + key;
  return text.empty() ? name : name + " (" + text + ")";
}

}  // namespace

std::string notes(const config::Changes& changes, const ReloadPlan& plan,
                  const std::vector<std::string>& reopened) {
  std::string text;
  const auto add = [&text](const std::string& note) {
    text += (text.empty() ? "; also changed: " : ", ") + note;
  };
  for (const auto& [app, keys] : changes.apps) {
    const AppChange* const change = find_change(plan, app);
    const bool kept = change != nullptr && change->kind == AppChange::Kind::kept;
    if (kept) add(with_keys(app, keys));
  }
  for (const auto& [address, keys] : changes.listeners) add(with_keys("listener " + address, keys));
  for (const auto& address : changes.added_listeners) add("listener " + address + " added");
  for (const auto& address : changes.removed_listeners) add("listener " + address + " removed");
  for (const auto& address : reopened) add("listener " + address + " opened anew");
  for (const auto& [name, keys] : changes.global) add(with_keys(name, keys));
  return text;
}

}  // namespace viaduct::daemon::master
