#include <arpa/inet.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

#include <viaduct/middleware.hpp>

#include "protocol/keyed_hash.hpp"
#include "sdk/src/crypto.hpp"

namespace viaduct {
inline namespace v1 {
namespace middleware {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kLongestKey = 128;

// One host has at least a /64 of IPv6 addresses to come from.
std::string client_network(Request& request) {
  std::string address(request.remote_addr());
  in6_addr bytes{};
  if (::inet_pton(AF_INET6, address.c_str(), &bytes) != 1) return address;
  const std::size_t size = IN6_IS_ADDR_V4MAPPED(&bytes) ? 16 : 8;
  return {reinterpret_cast<const char*>(bytes.s6_addr), size};
}

// Token buckets, a bounded number of them. The lock is held for a look-up, never across a wait.
class Buckets {
 public:
  explicit Buckets(const RateLimit& options) : options_(options) {}

  // Seconds until there is a token; 0 when one was taken.
  double take(const std::string& key, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    Bucket& bucket = find(key, now);
    const double idle = std::chrono::duration<double>(now - bucket.seen).count();
    bucket.tokens = std::min(static_cast<double>(options_.burst),
                             bucket.tokens + std::max(0.0, idle) * options_.per_second);
    bucket.seen = std::max(bucket.seen, now);
    if (bucket.tokens < 1) return (1 - bucket.tokens) / options_.per_second;
    bucket.tokens -= 1;
    return 0;
  }

 private:
  struct Bucket {
    std::string key;
    double tokens;
    Clock::time_point seen;
  };

  Bucket& find(const std::string& key, Clock::time_point now) {
    if (const auto known = index_.find(key); known != index_.end()) {
      recent_.splice(recent_.begin(), recent_, known->second);
      return recent_.front();
    }
    if (index_.size() >= options_.keys) {
      index_.erase(recent_.back().key);
      recent_.pop_back();
    }
    recent_.push_front({key, static_cast<double>(options_.burst), now});
    index_.emplace(recent_.front().key, recent_.begin());
    return recent_.front();
  }

  const RateLimit& options_;
  std::mutex mutex_;
  std::list<Bucket> recent_;  // the latest first
  // Clients have a say in the keys.
  std::unordered_map<std::string_view, std::list<Bucket>::iterator, protocol::KeyedHash> index_;
};

struct Limiter {
  explicit Limiter(RateLimit given) : options(std::move(given)), buckets(options) {}

  const RateLimit options;
  Buckets buckets;
};

}  // namespace

Middleware rate_limit(RateLimit options) {
  if (!(options.per_second > 0) || !std::isfinite(options.per_second)) {
    throw std::invalid_argument("rate_limit: per_second is not above 0");
  }
  if (options.burst == 0) throw std::invalid_argument("rate_limit: burst is 0");
  if (options.keys == 0) throw std::invalid_argument("rate_limit: keys is 0");
  if (!options.now) throw std::invalid_argument("rate_limit: no clock");
  if (!options.key) options.key = client_network;
  const auto limiter = std::make_shared<Limiter>(std::move(options));
  return [limiter](Request& request, Response& response, const Handler& next) {
    std::string key = limiter->options.key(request);
    if (!key.empty()) {
      if (key.size() > kLongestKey) key = detail::sha256(key);
      const double wait = limiter->buckets.take(key, limiter->options.now());
      if (wait > 0) {
        constexpr double kLongest = 86400;
        Fields fields;
        fields.set("Retry-After",
                   std::to_string(static_cast<long>(std::ceil(std::min(wait, kLongest)))));
        throw http_error(429, "Too Many Requests", std::move(fields));
      }
    }
    next(request, response);
  };
}

}  // namespace middleware
}  // namespace v1
}  // namespace viaduct
