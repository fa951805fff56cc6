#include <algorithm>
#include <memory>
#include <stdexcept>

#include <viaduct/session.hpp>

#include "sdk/src/cookie_name.hpp"
#include "sdk/src/session_cookie.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

struct SessionAccess {
  static std::unique_ptr<Session> make(const Response& response, std::size_t limit) {
    return std::unique_ptr<Session>(new Session(response, limit));
  }
  static auto& items(Session& session) { return session.items_; }
  static bool used(const Session& session) { return session.used_; }
  static bool changed(const Session& session) { return session.changed_; }
};

namespace {

constexpr std::size_t kShortestKey = 32;
constexpr std::size_t kLargestCookie = 4096;  // name and value, as browsers count

struct Slot {
  std::unique_ptr<Session> session;
};

class Keeper {
 public:
  explicit Keeper(Sessions options) : options_(std::move(options)) {
    if (options_.keys.empty()) throw std::invalid_argument("sessions: no key");
    for (const std::string& key : options_.keys) {
      if (key.size() < kShortestKey) {
        throw std::invalid_argument("sessions: a key of " + std::to_string(key.size()) +
                                    " bytes; 32 are needed");
      }
    }
    if (options_.lifetime <= std::chrono::seconds(0)) {
      throw std::invalid_argument("sessions: lifetime is not positive");
    }
    if (!options_.now) throw std::invalid_argument("sessions: no clock");
    require_usable_cookie("sessions", cookie());
    if (options_.size + options_.cookie.size() > kLargestCookie) {
      throw std::invalid_argument("sessions: browsers take cookies up to 4096 bytes");
    }
  }

  void serve(Request& request, Response& response, const Handler& next) const {
    auto& slot = request.local<Slot>();
    slot.session = SessionAccess::make(response, options_.size);
    Session& session = *slot.session;
    const auto text = request.cookie(options_.cookie);
    bool renew = false;
    if (text && text->size() <= options_.size) renew = load(*text, session);
    const bool known = text.has_value();
    response.before_start(
        [this, &session, renew, known](Response& head) { store(session, renew, known, head); });
    next(request, response);
  }

 private:
  [[nodiscard]] std::chrono::sys_seconds now() const {
    return std::chrono::floor<std::chrono::seconds>(options_.now());
  }

  [[nodiscard]] Cookie cookie() const {
    return {.name = options_.cookie,
            .value = {},
            .path = options_.path,
            .domain = options_.domain,
            .same_site = options_.same_site,
            .max_age = options_.lifetime,
            .secure = options_.secure};
  }

  // Whether the cookie is good but should be made anew.
  bool load(std::string_view text, Session& session) const {
    auto content = verify_session(options_.cookie, options_.keys, text);
    if (!content || content->expires <= now()) return false;
    SessionAccess::items(session) = std::move(content->items);
    return content->old_key || content->expires - now() < options_.lifetime / 2;
  }

  void store(Session& session, bool renew, bool known, Response& head) const {
    if (SessionAccess::used(session)) head.headers().add("Vary", "Cookie");
    const auto& items = SessionAccess::items(session);
    if (!SessionAccess::changed(session) && !renew) return;
    Cookie made = cookie();
    if (!items.empty()) {
      made.value = sign_session(options_.cookie, options_.keys.front(),
                                {.expires = now() + options_.lifetime, .items = items});
    } else if (known) {
      made.max_age = std::chrono::seconds(0);
    } else {
      return;
    }
    head.cookie(made);
  }

  Sessions options_;
};

}  // namespace
}  // namespace detail

void Session::require_open() const {
  if (response_->started()) {
    throw std::logic_error("the response has started: the session's cookie is out");
  }
}

std::optional<std::string_view> Session::get(std::string_view name) const {
  used_ = true;
  for (const auto& [known, value] : items_) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::span<const std::pair<std::string, std::string>> Session::items() const {
  used_ = true;
  return items_;
}

void Session::set(std::string_view name, std::string_view value) {
  require_open();
  auto items = items_;
  const auto known = std::find_if(items.begin(), items.end(),
                                  [name](const auto& item) { return item.first == name; });
  if (known == items.end()) {
    items.emplace_back(name, value);
  } else {
    known->second = value;
  }
  const std::size_t size = detail::session_size(items);
  if (size > limit_) {
    throw std::length_error("session: with \"" + std::string(name) + "\" the cookie has " +
                            std::to_string(size) + " bytes, " + std::to_string(limit_) +
                            " are allowed");
  }
  items_ = std::move(items);
  used_ = true;
  changed_ = true;
}

bool Session::erase(std::string_view name) {
  require_open();
  used_ = true;
  const bool found =
      std::erase_if(items_, [name](const auto& item) { return item.first == name; }) > 0;
  changed_ = changed_ || found;
  return found;
}

void Session::clear() {
  require_open();
  used_ = true;
  changed_ = true;
  items_.clear();
}

Middleware sessions(Sessions options) {
  const auto keeper = std::make_shared<const detail::Keeper>(std::move(options));
  return [keeper](Request& request, Response& response, const Handler& next) {
    keeper->serve(request, response, next);
  };
}

Session& session(Request& request) {
  auto& slot = request.local<detail::Slot>();
  if (!slot.session) throw std::logic_error("no session: app.use(viaduct::sessions({...}))");
  return *slot.session;
}

}  // namespace v1
}  // namespace viaduct
