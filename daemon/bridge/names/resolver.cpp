#include "daemon/bridge/names/resolver.hpp"

#include <ares.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "daemon/bridge/names/lookup_sockets.hpp"

namespace viaduct::daemon::bridge {

namespace {

constexpr int kTimeoutMs = 1000;
constexpr int kTries = 3;

/// A channel of c-ares that calls `on_socket` with what it wants to know of its sockets. Returns a
/// status of c-ares.
int make_channel(ares_channel& channel, const std::string& servers, ares_sock_state_cb on_socket,
                 void* self) {
  ares_options options{};
  options.timeout = kTimeoutMs;
  options.tries = kTries;
  options.sock_state_cb = on_socket;
  options.sock_state_cb_data = self;
  constexpr int kGiven = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  const int status = ares_init_options(&channel, &options, kGiven);
  if (status != ARES_SUCCESS) return status;
  use_nonblocking_sockets(channel);
  if (servers.empty()) return status;
  return ares_set_servers_ports_csv(channel, servers.c_str());
}

std::optional<IpAddress> address_of(const sockaddr& address) {
  using namespace boost::asio::ip;
  if (address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof(v4));
    return make_address_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof(v6));
    address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return address_v6(bytes);
  }
  return std::nullopt;
}

/// Whether the DNS has said that there is no such address.
bool says_none(int status) {
  return status == ARES_ENODATA || status == ARES_ENOTFOUND;
}

class AresLookup final : public Lookup, public std::enable_shared_from_this<AresLookup> {
 public:
  AresLookup(Reactor& reactor, Resolver::Known known, Resolver::Done done)
      : reactor_(reactor), timer_(reactor.executor()), known_(known), done_(std::move(done)) {}

  ~AresLookup() override {
    if (channel_ != nullptr) ares_destroy(channel_);
  }

  void start(const std::string& servers, const std::string& name) {
    const int status = make_channel(channel_, servers, on_socket, this);
    if (status != ARES_SUCCESS) {
      resolution_.failure = ares_strerror(status);
      finish();
      return;
    }
    ask(name, AF_UNSPEC);
  }

 private:
  struct Watched {
    explicit Watched(const Reactor::Executor& executor) : socket(executor) {}
    Reactor::Descriptor socket;
    std::array<bool, 2> wanted{};   // to be told of: readable, writable
    std::array<bool, 2> waiting{};  // a wait is under way
  };
  enum Direction : std::size_t { input, output };

  void ask(const std::string& name, int family) {
    ares_addrinfo_hints hints{};
    // Without sorting, which makes a socket for each address.
    hints.ai_flags = ARES_AI_NOSORT;
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    asking_ = true;
    ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, on_answer, this);
    asking_ = false;
    arm_timer();
  }

  // ---- what c-ares calls

  static void on_answer(void* self, int status, int /*timeouts*/, ares_addrinfo* info) {
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned(info,
                                                                             ares_freeaddrinfo);
    if (status != ARES_EDESTRUCTION) static_cast<AresLookup*>(self)->answered(status, info);
  }

  static void on_socket(void* self, ares_socket_t socket, int readable, int writable) {
    static_cast<AresLookup*>(self)->watch(socket, readable != 0, writable != 0);
  }

  // The channel may not be destroyed from here, so that what follows does so later.
  void answered(int status, const ares_addrinfo* info) {
    if (asked_again_) {
      take_second(status, info);
    } else {
      take_first(status, info);
    }
  }

  void take_first(int status, const ares_addrinfo* info) {
    if (status != ARES_SUCCESS) {
      resolution_.failure = ares_strerror(status);
      finish();
      return;
    }
    // What is answered at once comes from no network.
    take(*info, !asking_);
    if (resolution_.addresses.empty()) resolution_.failure = ares_strerror(ARES_ENODATA);
    const bool lacks_v4 = known_.ipv4 && !has(AF_INET);
    const bool lacks_v6 = known_.ipv6 && !has(AF_INET6);
    if (asking_ || resolution_.addresses.empty() || lacks_v4 == lacks_v6 || info->name == nullptr) {
      finish();
      return;
    }
    // The name that was found, of those that the search list makes.
    later([name = std::string(info->name), family = lacks_v4 ? AF_INET : AF_INET6](AresLookup& l) {
      l.asked_again_ = family;
      l.ask(name.ends_with('.') ? name : name + '.', family);
    });
  }

  void take_second(int status, const ares_addrinfo* info) {
    if (status == ARES_SUCCESS) {
      take(*info, true);
    } else if (!says_none(status)) {
      (asked_again_ == AF_INET ? resolution_.ipv4_unknown : resolution_.ipv6_unknown) = true;
    }
    finish();
  }

  void take(const ares_addrinfo& info, bool has_ttl) {
    const auto hold = [this](int ttl) {
      const std::chrono::seconds seconds(ttl);
      resolution_.ttl = std::min(resolution_.ttl.value_or(seconds), seconds);
    };
    for (const auto* node = info.nodes; node != nullptr; node = node->ai_next) {
      const auto address = address_of(*node->ai_addr);
      if (!address) continue;
      resolution_.addresses.push_back(*address);
      if (has_ttl) hold(node->ai_ttl);
    }
    if (!has_ttl) return;
    for (const auto* alias = info.cnames; alias != nullptr; alias = alias->next) hold(alias->ttl);
  }

  [[nodiscard]] bool has(int family) const {
    return std::any_of(resolution_.addresses.begin(), resolution_.addresses.end(),
                       [family](const IpAddress& a) { return a.is_v4() == (family == AF_INET); });
  }

  void finish() {
    later([](AresLookup& l) {
      // It may be the last that holds the lookup.
      if (const auto done = std::exchange(l.done_, nullptr)) done(l.resolution_);
    });
  }

  template <class Work>
  void later(Work work) {
    reactor_.post([weak = weak_from_this(), work] {
      if (const auto self = weak.lock()) work(*self);
    });
  }

  // ---- its sockets and its clock

  // Called before a socket is closed, too; it belongs to c-ares.
  void watch(int descriptor, bool readable, bool writable) {
    const auto found = sockets_.find(descriptor);
    if (!readable && !writable) {
      if (found == sockets_.end()) return;
      found->second->socket.release();
      sockets_.erase(found);
      return;
    }
    auto watched = found == sockets_.end() ? nullptr : found->second;
    if (watched == nullptr) {
      watched = std::make_shared<Watched>(reactor_.executor());
      boost::system::error_code error;
      watched->socket.assign(descriptor, error);
      if (error) return;  // its time-out will come
      sockets_.emplace(descriptor, watched);
    }
    watched->wanted = {readable, writable};
    wait(watched);
  }

  void wait(const std::shared_ptr<Watched>& watched) {
    for (const Direction direction : {input, output}) {
      if (!watched->wanted[direction] || std::exchange(watched->waiting[direction], true)) continue;
      watched->socket.async_wait(
          direction == input ? Reactor::Descriptor::wait_read : Reactor::Descriptor::wait_write,
          [weak = weak_from_this(), watched, direction](boost::system::error_code error) {
            watched->waiting[direction] = false;
            const auto self = weak.lock();
            if (!error && self != nullptr) self->ready(watched, direction);
          });
    }
  }

  void ready(const std::shared_ptr<Watched>& watched, Direction direction) {
    if (!watched->socket.is_open() || !watched->wanted[direction]) return;
    const int socket = watched->socket.native_handle();
    process(direction == input ? socket : ARES_SOCKET_BAD,
            direction == output ? socket : ARES_SOCKET_BAD);
    if (watched->socket.is_open()) wait(watched);
  }

  void process(ares_socket_t readable, ares_socket_t writable) {
    Reactor::Event event(reactor_);
    ares_process_fd(channel_, readable, writable);
    arm_timer();
  }

  void arm_timer() {
    timeval left{};
    if (ares_timeout(channel_, nullptr, &left) == nullptr) {
      timer_.cancel();
      return;
    }
    // Rounded up: c-ares finds nothing to do before.
    timer_.expires_after(std::chrono::seconds(left.tv_sec) +
                         std::chrono::microseconds(left.tv_usec) + std::chrono::milliseconds(1));
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
      const auto self = weak.lock();
      if (!error && self != nullptr) self->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    });
  }

  Reactor& reactor_;
  Reactor::Timer timer_;
  Resolver::Known known_;
  Resolver::Done done_;
  Resolution resolution_;
  ares_channel channel_ = nullptr;
  bool asking_ = false;  // inside ares_getaddrinfo
  int asked_again_ = 0;  // for that family
  std::unordered_map<int, std::shared_ptr<Watched>> sockets_;
};

}  // namespace

Resolver::Resolver(Reactor& reactor, std::string servers)
    : reactor_(reactor), servers_(std::move(servers)) {
  if (const int status = ares_library_init(ARES_LIB_INIT_ALL); status != ARES_SUCCESS) {
    throw std::system_error(std::make_error_code(std::errc::not_supported), ares_strerror(status));
  }
}

Resolver::~Resolver() {
  ares_library_cleanup();
}

std::shared_ptr<Lookup> Resolver::look_up(const std::string& name, Known known, Done done) {
  auto lookup = std::make_shared<AresLookup>(reactor_, known, std::move(done));
  lookup->start(servers_, name);
  return lookup;
}

}  // namespace viaduct::daemon::bridge
