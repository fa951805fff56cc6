#include <unistd.h>

#include <algorithm>

#include "daemon/config/checking.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr const char* kBridgeUser = "viaduct";
constexpr uid_t kNobody = 65534;
constexpr const char* kHowToMakeUser =
    "no user named \"viaduct\" on this system, which is the default: expected another one here, or "
    "make it with \"systemd-sysusers viaduct.conf\" or \"useradd --system --user-group --home-dir "
    "/nonexistent --shell /usr/sbin/nologin viaduct\"";

bool is_root(const Checking& check) {
  return check.system.effective_user() == 0;
}

// Something only root may do: an error, or with --check, which may be run by anybody, a warning.
void needs_root(const Checking& check, const std::string& path, const std::string& message) {
  if (check.purpose == Purpose::check)
    check.warning(path, message);
  else
    check.error(path, message);
}

std::optional<gid_t> lookup_group(const Checking& check, const std::string& path,
                                  const std::string& name) {
  const auto gid = check.system.find_group(name);
  if (!gid) check.error(path, "no group named \"" + name + "\" on this system");
  return gid;
}

bool is_own_group(const Account& own, gid_t gid) {
  return own.gid == gid || std::find(own.groups.begin(), own.groups.end(), gid) != own.groups.end();
}

// Fills in identity.account; false when a name is unknown.
bool resolve(const Checking& check, const std::string& path, Identity& identity) {
  const Account own = check.system.own_account();
  Account& account = identity.account;
  account = own;
  bool complete = true;
  if (!identity.user.empty()) {
    const auto user = check.system.find_user(identity.user);
    complete = user.has_value();
    if (!user)
      check.error(path + ".user", "no user named \"" + identity.user + "\" on this system");
    else if (user->uid != own.uid || is_root(check))
      account = *user;
  }
  if (!identity.group.empty()) {
    const auto gid = lookup_group(check, path + ".group", identity.group);
    complete = complete && gid;
    if (gid) account.gid = *gid;
  }
  if (identity.groups) {
    account.groups.clear();
    for (std::size_t index = 0; index < identity.groups->size(); ++index) {
      const std::string item = path + ".groups[" + std::to_string(index) + ']';
      const auto gid = lookup_group(check, item, (*identity.groups)[index]);
      complete = complete && gid;
      if (gid) account.groups.push_back(*gid);
    }
    std::sort(account.groups.begin(), account.groups.end());
    account.groups.erase(std::unique(account.groups.begin(), account.groups.end()),
                         account.groups.end());
  }
  if (!complete) account = Account{};
  return complete;
}

// For a daemon that is not root: every process has the user and groups of the daemon.
void check_unchanged(const Checking& check, const std::string& path, const Identity& identity) {
  const Account own = check.system.own_account();
  const std::string only_root = ": only root can change it, viaductd runs as " + own.name;
  if (identity.account.uid != own.uid)
    needs_root(check, path + ".user", "user " + identity.user + only_root);
  if (!identity.group.empty() && identity.account.gid != own.gid)
    needs_root(check, path + ".group", "group " + identity.group + only_root);
  if (identity.groups && identity.account.groups != own.groups)
    needs_root(check, path + ".groups", "a list that differs from its own" + only_root);
}

void check_root_rules(const Checking& check, const AppSettings& app, const std::string& path) {
  const Account& bridge = check.settings.bridge.identity.account;
  if (app.identity.user.empty()) {
    if (!check.written(path + ".user"))
      check.error(path, "expected the key \"user\": viaductd runs as root");
  } else if (app.identity.account.uid == 0) {
    if (!app.allow_root)
      check.error(path + ".user", "root is only allowed together with allow_root: true");
  } else if (!bridge.name.empty() && app.identity.account.uid == bridge.uid) {
    check.error(path + ".user",
                "user " + app.identity.user + " is the user of the bridge, which no app may share");
  }
}

// Whoever runs as the user of the bridge may do to it what it may do itself.
void check_user_of_bridge(const Checking& check, const Account& account) {
  if (account.uid == 0)
    return check.error("bridge.user", "the bridge cannot run as root: expected another user");
  if (account.uid == kNobody)
    return check.error("bridge.user", "the bridge cannot run as uid 65534 (" + account.name +
                                          "), which other programs use, too: expected a user of "
                                          "its own");
  if (const auto process = check.system.other_process_of(account.uid))
    check.warning("bridge.user", "user " + account.name +
                                     " runs other processes, too, for instance " + *process +
                                     ": a user of its own keeps the bridge from them");
}

void resolve_bridge(const Checking& check) {
  Identity& identity = check.settings.bridge.identity;
  if (identity.user.empty() && is_root(check)) {
    identity.user = kBridgeUser;
    if (!check.system.find_user(kBridgeUser)) return check.error("bridge.user", kHowToMakeUser);
  }
  if (!resolve(check, "bridge", identity)) return;
  if (is_root(check))
    check_user_of_bridge(check, identity.account);
  else
    check_unchanged(check, "bridge", identity);
}

void resolve_apps(const Checking& check) {
  for (AppSettings& app : check.settings.apps) {
    const std::string path = app_path(app);
    if (check.connects(path) || !resolve(check, path, app.identity)) continue;
    if (is_root(check))
      check_root_rules(check, app, path);
    else
      check_unchanged(check, path, app.identity);
  }
}

// The group that a file which viaductd creates gets.
std::optional<gid_t> file_group(const Checking& check, const std::string& path,
                                const std::string& name) {
  if (name.empty()) return std::nullopt;
  const auto gid = lookup_group(check, path, name);
  const Account own = check.system.own_account();
  if (gid && !is_root(check) && !is_own_group(own, *gid))
    needs_root(check, path,
               "group " + name + ": only root can give files to it, viaductd runs as " + own.name +
                   ", who is not a member");
  return gid;
}

std::optional<uid_t> file_owner(const Checking& check, const std::string& path,
                                const std::string& name) {
  if (name.empty()) return std::nullopt;
  const auto user = check.system.find_user(name);
  const Account own = check.system.own_account();
  if (!user)
    check.error(path, "no user named \"" + name + "\" on this system");
  else if (!is_root(check) && user->uid != own.uid)
    needs_root(check, path,
               "owner " + name + ": only root can give files away, viaductd runs as " + own.name);
  return user ? std::optional(user->uid) : std::nullopt;
}

void resolve_peers(const Checking& check, const std::string& path,
                   std::vector<protocol::PeerRule>& rules) {
  for (std::size_t index = 0; index < rules.size(); ++index) {
    protocol::PeerRule& rule = rules[index];
    const std::string name(protocol::principal(rule));
    const std::string item = path + '[' + std::to_string(index) + ']';
    if (name.find_first_not_of("0123456789") == std::string::npos) continue;
    if (rule.kind == protocol::PeerRule::Kind::uid) {
      const auto user = check.system.find_user(name);
      if (!user) check.error(item, "no user named \"" + name + "\" on this system");
      if (user) rule.id = user->uid;
    } else {
      rule.id = lookup_group(check, item, name).value_or(0);
    }
  }
}

}  // namespace

void resolve_accounts(const Checking& check) {
  resolve_bridge(check);
  resolve_apps(check);
  ControlSettings& control = check.settings.control;
  control.gid = file_group(check, "control.group", control.group);
  for (std::size_t index = 0; index < check.settings.listeners.size(); ++index) {
    ListenerSettings& listener = check.settings.listeners[index];
    const std::string path = listener_path(index);
    listener.uid = file_owner(check, path + ".owner", listener.owner);
    listener.gid = file_group(check, path + ".group", listener.group);
    resolve_peers(check, path + ".allow", listener.allow);
    resolve_peers(check, path + ".trusted", listener.trusted);
  }
}

}  // namespace viaduct::daemon::config
