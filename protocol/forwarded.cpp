#include "protocol/forwarded.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "protocol/forwarded_field.hpp"
#include "protocol/host_port.hpp"
#include "protocol/text.hpp"

namespace viaduct::protocol {
namespace {

using Commas = ReverseList::Commas;

constexpr std::array<std::string_view, 11> kFields{
    "HTTP_FORWARDED",        "HTTP_X_FORWARDED_FOR",    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",   "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_FORWARDED_BY",   "HTTP_X_FORWARDED_SCHEME", "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",        "HTTP_FRONT_END_HTTPS"};
constexpr std::size_t kShortest = 14;
constexpr std::size_t kFirstLetter = 5;  // behind HTTP_

bool is_port(std::string_view text) {
  const auto number = parse_decimal(text);
  return number && *number <= 65535 && text.size() <= 5;
}

// What may stand in Host: no list, no space, nothing that ends a line of HTTP or HTML.
bool is_host(std::string_view text) {
  constexpr std::string_view kAllowed = ".-_:[]%~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           kAllowed.find(c) != std::string_view::npos;
  });
}

std::string scheme_of(std::string_view text) {
  for (const std::string_view known : {"http", "https"}) {
    if (equal_nocase(text, known)) return std::string(known);
  }
  return {};
}

// The way from the peer to the client, a hop at a time.
class Walk {
 public:
  explicit Walk(const std::vector<PeerRule>& trusted) : trusted_(trusted) {}
  // Takes the next hop; returns whether it may speak of the one before it.
  bool pass(const std::optional<IpBytes>& hop) {
    ++place_;
    if (!hop) return false;
    client_ = hop;
    return place_ < kMaxHops && matches_address(trusted_, *hop);
  }
  [[nodiscard]] std::string address() const { return client_ ? format_ip(*client_) : ""; }
  // Of the client in the list, from the right, beginning with 1; 0: there is no list.
  [[nodiscard]] std::size_t place() const { return place_; }

 private:
  const std::vector<PeerRule>& trusted_;
  std::optional<IpBytes> client_;
  std::size_t place_ = 0;
};

ForwardedFor read_elements(const ForwardedOptions& options, const std::vector<PeerRule>& trusted,
                           std::string_view field) {
  ForwardedFor said;
  Walk walk(trusted);
  ForwardedElement element;
  ReverseList list(field, Commas::may_stand_quoted);
  for (auto text = list.next(); text; text = list.next()) {
    element = parse_forwarded_element(*text);
    const bool named = !element.client.empty() && !element.repeats;
    if (!walk.pass(named ? parse_forwarded_node(unquote(element.client)) : std::nullopt)) break;
  }
  said.address = walk.address();
  said.contradictory = element.repeats;
  if (element.repeats) return said;
  if (options.proto) said.scheme = scheme_of(unquote(element.scheme));
  if (options.host) said.host = unquote(element.host);
  return said;
}

// The one of a list's values that speaks of the client; "" when there is none.
std::string_view value_for(std::string_view field, std::size_t place, std::size_t addresses,
                           bool& contradictory) {
  ReverseList list(field, Commas::separate);
  std::string_view value;
  std::size_t count = 0;
  for (auto text = list.next(); text; text = list.next()) {
    ++count;
    if (count == 1 || count == place) value = *text;
  }
  if (count <= 1 || count == addresses) return value;
  contradictory = true;
  return {};
}

ForwardedFor read_lists(const ForwardedOptions& options, const std::vector<PeerRule>& trusted,
                        const Pairs& params) {
  ForwardedFor said;
  Walk walk(trusted);
  ReverseList list(params.get("HTTP_X_FORWARDED_FOR").value_or(""), Commas::separate);
  bool on = true;
  std::size_t addresses = 0;
  for (auto text = list.next(); text; text = list.next()) {
    ++addresses;
    if (on) on = walk.pass(parse_forwarded_node(*text));
  }
  said.address = walk.address();
  const auto value = [&](bool wanted, std::string_view name) -> std::string_view {
    if (!wanted) return {};
    return value_for(params.get(name).value_or(""), walk.place(), addresses, said.contradictory);
  };
  said.scheme = scheme_of(value(options.proto, "HTTP_X_FORWARDED_PROTO"));
  said.host = value(options.host, "HTTP_X_FORWARDED_HOST");
  said.port = value(options.port, "HTTP_X_FORWARDED_PORT");
  return said;
}

// A front server that says REMOTE_ADDR is believed in that; the client that it names may be
// anybody.
bool may_speak(const std::vector<PeerRule>& trusted, const Pairs& params) {
  const auto address = parse_ip(params.get("REMOTE_ADDR").value_or(""));
  return !address || matches_address(trusted, *address);
}

}  // namespace

ForwardedFor read_forwarded(const ForwardedOptions& options, const std::vector<PeerRule>& trusted,
                            const Pairs& params) {
  ForwardedFor said =
      options.source == ForwardedSource::forwarded
          ? read_elements(options, trusted, params.get("HTTP_FORWARDED").value_or(""))
          : read_lists(options, trusted, params);
  if (!is_host(said.host)) said.host.clear();
  if (!is_port(said.port)) said.port.clear();
  return said;
}

void apply_forwarded(const ForwardedFor& forwarded, Pairs& params) {
  if (!forwarded.address.empty()) {
    params.set("REMOTE_ADDR", forwarded.address);
    params.erase("REMOTE_PORT");
  }
  std::string port = forwarded.port;
  if (!forwarded.host.empty()) {
    const auto [name, said] = split_host(forwarded.host);
    params.set("HTTP_HOST", forwarded.host);
    params.set("SERVER_NAME", name);
    if (port.empty() && is_port(said)) port = said;
  }
  if (!forwarded.scheme.empty()) {
    const bool secure = forwarded.scheme == "https";
    params.set("REQUEST_SCHEME", forwarded.scheme);
    if (secure) {
      params.set("HTTPS", "on");
    } else {
      params.erase("HTTPS");
    }
    if (port.empty()) port = secure ? "443" : "80";
  }
  if (!port.empty()) params.set("SERVER_PORT", port);
}

bool is_forwarded(std::string_view variable) {
  return std::find(kFields.begin(), kFields.end(), variable) != kFields.end();
}

void erase_forwarded(Pairs& params) {
  std::array<bool, kFields.size()> found{};
  bool any = false;
  for (const auto& [name, value] : params) {
    // Most variables are told apart by their size and one letter.
    if (name.size() < kShortest || (name[kFirstLetter] != 'F' && name[kFirstLetter] != 'X')) {
      continue;
    }
    const auto* const field = std::find(kFields.begin(), kFields.end(), name);
    if (field == kFields.end()) continue;
    found[static_cast<std::size_t>(field - kFields.begin())] = any = true;
  }
  if (!any) return;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    if (found[i]) params.erase(kFields[i]);
  }
}

bool settle_client(const ForwardedOptions& options, const std::vector<PeerRule>& trusted,
                   bool trusted_peer, Pairs& params) {
  if (options.source == ForwardedSource::pass) return false;
  bool contradictory = false;
  if (trusted_peer && names_client(options.source) && may_speak(trusted, params)) {
    const ForwardedFor said = read_forwarded(options, trusted, params);
    contradictory = said.contradictory;
    apply_forwarded(said, params);
  }
  erase_forwarded(params);
  return contradictory;
}

}  // namespace viaduct::protocol
