// Fields in which proxies name a client. The input is lines: the rules of `trusted`, separated by
// blanks, and a line for each variable of the request: a letter that names it, and its value.

#include <array>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/forwarded.hpp"
#include "tests/fuzz/invariants.hpp"
#include "tests/fuzz/lines.hpp"

namespace {

using namespace viaduct;
using protocol::ForwardedFor;
using protocol::ForwardedOptions;
using protocol::ForwardedSource;
using protocol::PeerRule;
using test::require;

constexpr std::array<std::string_view, 5> kNames{"HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR",
                                                 "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST",
                                                 "HTTP_X_FORWARDED_PORT"};

constexpr std::array<ForwardedOptions, 2> kSources{
    ForwardedOptions{ForwardedSource::forwarded, true, true, false},
    ForwardedOptions{ForwardedSource::x_forwarded_for, true, true, true}};

std::vector<PeerRule> rules_of(std::string_view line) {
  std::vector<PeerRule> rules;
  for (std::string_view rest = test::trim_blanks(line); !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    rest = test::trim_blanks(rest.substr(word.size()));
    auto rule = protocol::parse_peer_rule(word);
    if (!std::holds_alternative<PeerRule>(rule)) continue;
    rules.push_back(std::get<PeerRule>(std::move(rule)));
    if (rules.back().kind != PeerRule::Kind::network) continue;
    require(matches_address(rules, rules.back().network),
            "a network does not contain its own address");
  }
  return rules;
}

void check_values(const ForwardedFor& said) {
  require(said.address.empty() || protocol::parse_ip(said.address), "a client's address is none");
  require(said.scheme.empty() || said.scheme == "http" || said.scheme == "https",
          "a scheme is not of HTTP");
  for (const char c : said.host) {
    require(
        c > ' ' && c < '\x7f' && std::string_view("\"'<>,;/\\&?#@").find(c) == std::string::npos,
        "a host has what may not stand in one");
  }
  require(said.port.empty() || test::decimal(said.port).value_or(65536) <= 65535,
          "a port is beyond the last one");
}

// A proxy that nobody trusts may say what it likes of those before it.
void check_walk(const std::vector<PeerRule>& trusted, const std::string& list) {
  const auto address_of = [&](const std::string& value) {
    protocol::Pairs params;
    params.add("HTTP_X_FORWARDED_FOR", value);
    return read_forwarded(kSources[1], trusted, params).address;
  };
  require(address_of("192.0.2.1, x").empty(), "what stands before nonsense is believed");
  const std::string found = address_of(list);
  if (found.empty()) return;
  require(address_of(found) == found, "an address by itself is another one");
  const bool known = matches_address(trusted, *protocol::parse_ip(found));
  require(known || address_of("198.51.100.7, " + list) == found,
          "a proxy that is not trusted is believed");
  require(address_of(list + ", " + found) == found, "the last address is passed over");
}

void check_applied(const ForwardedFor& said) {
  const auto served = [] {
    protocol::Pairs params;
    for (const auto& [name, value] : {std::pair{"REMOTE_ADDR", "203.0.113.9"},
                                      {"REMOTE_PORT", "4711"},
                                      {"SERVER_NAME", "own"},
                                      {"SERVER_PORT", "8080"},
                                      {"HTTP_HOST", "own:8080"},
                                      {"QUERY_STRING", ""}}) {
      params.add(name, value);
    }
    return params;
  };
  protocol::Pairs params = served();
  apply_forwarded(said, params);
  require(params.get("REMOTE_ADDR") == (said.address.empty() ? "203.0.113.9" : said.address),
          "another client than was named");
  require(params.get("REMOTE_PORT").has_value() == said.address.empty(),
          "the port of one address with another");
  require(params.get("HTTP_HOST") == (said.host.empty() ? "own:8080" : said.host),
          "another host than was named");
  require(params.get("HTTPS").has_value() == (said.scheme == "https"),
          "HTTPS differs from the scheme");
  require(test::decimal(params.get("SERVER_PORT").value_or("")).value_or(65536) <= 65535,
          "SERVER_PORT is no port");
  const std::size_t before = params.size();
  apply_forwarded(said, params);
  require(params.size() == before, "variables are repeated");
}

void check_settled(const ForwardedOptions& options, const std::vector<PeerRule>& trusted,
                   protocol::Pairs params) {
  settle_client(options, trusted, true, params);
  for (const std::string_view name : kNames) {
    require(!params.get(name), "a field reaches the application");
  }
  const std::size_t before = params.size();
  settle_client(options, trusted, true, params);
  require(params.size() == before, "a client that is known becomes another one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::string_view> lines = test::split_lines(test::input(data, size));
  if (lines.empty()) return 0;
  const std::vector<PeerRule> trusted = rules_of(lines[0]);
  protocol::Pairs params;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::string_view value = lines[i].substr(1);
    params.set(kNames[static_cast<unsigned char>(lines[i][0]) % kNames.size()], value);
    check_walk(trusted, std::string(value));
  }
  for (const ForwardedOptions& options : kSources) {
    const ForwardedFor said = read_forwarded(options, trusted, params);
    check_values(said);
    check_applied(said);
    check_settled(options, trusted, params);
  }
  return 0;
}
