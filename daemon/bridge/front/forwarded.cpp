#include "daemon/bridge/front/forwarded.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "daemon/bridge/front/peer.hpp"
#include "protocol/host_port.hpp"
#include "protocol/text.hpp"

namespace viaduct::daemon::bridge {

namespace {

using protocol::equal_nocase;
using protocol::trim;

// The parts between separators that do not stand inside a quoted string.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[i] == separator) {
      parts.push_back(trim(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  parts.push_back(trim(text.substr(begin)));
  return parts;
}

std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string plain;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    plain.push_back(text[i]);
  }
  return plain;
}

// The value of a parameter of one element of Forwarded.
std::string parameter(std::string_view element, std::string_view name) {
  for (const std::string_view pair : split(element, ';')) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    if (equal_nocase(pair.substr(0, equals), name)) return unquoted(pair.substr(equals + 1));
  }
  return {};
}

// "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80" or "2001:db8::1" as a peer to match rules with.
std::optional<Peer> node(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    text = text.substr(1, bracket - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  // inet_pton() would not see what stands behind it.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  Peer peer;
  peer.local = false;
  peer.host = text;
  in_addr ipv4{};
  if (::inet_pton(AF_INET, peer.host.c_str(), &ipv4) == 1) {
    peer.address[10] = peer.address[11] = 0xff;
    std::memcpy(peer.address.data() + 12, &ipv4, sizeof(ipv4));
  } else if (::inet_pton(AF_INET6, peer.host.c_str(), peer.address.data()) != 1) {
    return std::nullopt;
  }
  return peer;
}

std::string client_of(const std::vector<config::PeerRule>& trusted,
                      const std::vector<std::string>& nodes) {
  std::string address;
  for (auto text = nodes.rbegin(); text != nodes.rend(); ++text) {
    const auto peer = node(*text);
    if (!peer) break;
    address = peer->host;
    if (!matches(trusted, *peer)) break;
  }
  return address;
}

std::string last_of(const protocol::Pairs& params, std::string_view name) {
  return std::string(split(params.get(name).value_or(""), ',').back());
}

bool is_port(std::string_view text) {
  const auto number = protocol::parse_decimal(text);
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

std::string scheme_of(std::string text) {
  for (const std::string_view known : {"http", "https"}) {
    if (equal_nocase(text, known)) return std::string(known);
  }
  return {};
}

}  // namespace

ForwardedFor read_forwarded(const std::vector<config::PeerRule>& trusted,
                            const protocol::Pairs& params) {
  ForwardedFor said;
  std::vector<std::string> nodes;
  if (const auto forwarded = params.get("HTTP_FORWARDED")) {
    for (const std::string_view element : split(*forwarded, ',')) {
      nodes.push_back(parameter(element, "for"));
      said.scheme = parameter(element, "proto");
      said.host = parameter(element, "host");
    }
  } else {
    if (const auto list = params.get("HTTP_X_FORWARDED_FOR")) {
      for (const std::string_view text : split(*list, ',')) nodes.emplace_back(text);
    }
    said.scheme = last_of(params, "HTTP_X_FORWARDED_PROTO");
    said.host = last_of(params, "HTTP_X_FORWARDED_HOST");
    said.port = last_of(params, "HTTP_X_FORWARDED_PORT");
  }
  said.address = client_of(trusted, nodes);
  said.scheme = scheme_of(said.scheme);
  if (!is_host(said.host)) said.host.clear();
  if (!is_port(said.port)) said.port.clear();
  return said;
}

void apply_forwarded(const ForwardedFor& forwarded, protocol::Pairs& params) {
  if (!forwarded.address.empty()) {
    params.set("REMOTE_ADDR", forwarded.address);
    params.erase("REMOTE_PORT");
  }
  std::string port = forwarded.port;
  if (!forwarded.host.empty()) {
    const auto [name, said] = protocol::split_host(forwarded.host);
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

}  // namespace viaduct::daemon::bridge
