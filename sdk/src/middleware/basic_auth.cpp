#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>

#include <viaduct/middleware.hpp>

#include "sdk/src/base64.hpp"
#include "sdk/src/chars.hpp"
#include "sdk/src/crypto.hpp"

namespace viaduct {
inline namespace v1 {
namespace middleware {
namespace {

constexpr std::size_t kLongestField = 4096;

struct Credentials {
  std::string name;
  std::string password;
};
struct User {
  std::string name;
};

std::optional<Credentials> parse(std::string_view field) {
  constexpr std::string_view kScheme = "Basic ";
  if (field.size() > kLongestField) return std::nullopt;
  if (!detail::equal_nocase(field.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  field.remove_prefix(kScheme.size());
  while (field.starts_with(' ')) field.remove_prefix(1);
  const auto text = detail::base64_decode(field);
  if (!text) return std::nullopt;
  const auto control = [](char c) { return !detail::is_field_char(c) || c == '\t'; };
  const std::size_t colon = text->find(':');
  if (colon == std::string::npos || std::any_of(text->begin(), text->end(), control)) {
    return std::nullopt;
  }
  return Credentials{text->substr(0, colon), text->substr(colon + 1)};
}

// Compares hashes, of equal length, with all users, whoever it is.
class Gate {
 public:
  explicit Gate(BasicAuth options) : check_(std::move(options.check)) {
    for (const char c : options.realm) {
      if (c < ' ' || c > '~' || c == '"' || c == '\\') {
        throw std::invalid_argument("basic_auth: the realm holds a character to be left out");
      }
    }
    challenge_.set("WWW-Authenticate", "Basic realm=\"" + options.realm + "\", charset=\"UTF-8\"");
    if (options.users.empty() && !check_) {
      throw std::invalid_argument("basic_auth: neither users nor a check: nobody gets in");
    }
    for (const auto& [name, password] : options.users) {
      if (name.find(':') != std::string::npos) {
        throw std::invalid_argument("basic_auth: a user's name holds a colon");
      }
      users_.emplace_back(detail::sha256(name), detail::sha256(password));
    }
  }

  [[nodiscard]] bool admits(const Credentials& who) const {
    const std::string name = detail::sha256(who.name);
    const std::string password = detail::sha256(who.password);
    bool known = false;
    bool right = false;
    for (const auto& [user, secret] : users_) {
      const bool same_name = detail::equal_secret(user, name);
      const bool same_password = detail::equal_secret(secret, password);
      known = known | same_name;
      right = right | (same_name & same_password);
    }
    return right || (!known && check_ && check_(who.name, who.password));
  }

  [[nodiscard]] http_error challenge() const { return {401, "Unauthorized", challenge_}; }

 private:
  std::vector<std::pair<std::string, std::string>> users_;
  std::function<bool(std::string_view, std::string_view)> check_;
  Fields challenge_;
};

}  // namespace

Middleware basic_auth(BasicAuth options) {
  const auto gate = std::make_shared<const Gate>(std::move(options));
  return [gate](Request& request, Response& response, const Handler& next) {
    const auto field = request.headers().get("Authorization");
    auto who = field ? parse(*field) : std::nullopt;
    if (!who || !gate->admits(*who)) throw gate->challenge();
    request.local<User>().name = std::move(who->name);
    next(request, response);
  };
}

std::string_view authenticated_user(Request& request) {
  return request.local<User>().name;
}

}  // namespace middleware
}  // namespace v1
}  // namespace viaduct
