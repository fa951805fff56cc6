#include "daemon/master/control/server.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>

#include "daemon/master/control/session.hpp"

namespace viaduct::daemon::master::control {

namespace {

constexpr std::uint32_t kBacklog = 128;
constexpr std::chrono::milliseconds kWithoutDescriptors{200};
constexpr std::chrono::seconds kFarewell{1};

ListenerOptions options_of(const config::ControlSettings& settings) {
  return {std::nullopt, settings.gid, settings.mode, kBacklog};
}

ListenerSocket open(const config::ControlSettings& settings) {
  try {
    return ListenerSocket::open(settings.address, options_of(settings));
  } catch (const ListenerError& error) {
    throw ListenerError(std::string("control: ") + error.what(), error.error());
  }
}

ListenerSocket adapt(ListenerSocket socket, const config::ControlSettings& settings) {
  try {
    socket.apply(options_of(settings));
    return socket;
  } catch (const ListenerError& error) {
    throw ListenerError(std::string("control: ") + error.what(), error.error());
  }
}

int duplicate(int descriptor) {
  const int own = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (own < 0) {
    throw ListenerError("control: duplicating the socket: no descriptor is left", errno);
  }
  return own;
}

constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
    "Content-Length: 34\r\nConnection: close\r\n\r\n"
    "{\"error\": \"too many connections\"}\n";

constexpr std::string_view kForbidden =
    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n"
    "Content-Length: 36\r\nConnection: close\r\n\r\n"
    "{\"error\": \"no bridge may ask this\"}\n";

// Too small to block: the socket is new.
void turn_away(int socket, std::string_view answer) {
  (void)::send(socket, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

Server::Server(boost::asio::io_context& io, const config::ControlSettings& settings, Api& api,
               Limits limits)
    : Server(io, settings, api, open(settings), limits) {}

Server::Server(boost::asio::io_context& io, const config::ControlSettings& settings, Api& api,
               ListenerSocket socket, Limits limits)
    : api_(api),
      limits_(limits),
      socket_(adapt(std::move(socket), settings)),
      acceptor_(io),
      timer_(io) {
  try {
    acceptor_.assign(Protocol(), duplicate(socket_.descriptor()));
    acceptor_.non_blocking(true);
  } catch (...) {
    socket_.unlink();
    throw;
  }
  accept();
}

Server::~Server() {
  census_->on_quiet = nullptr;
  socket_.unlink();
}

bool Server::renew(const config::ControlSettings& settings) {
  if (socket_.in_place()) return false;
  ListenerSocket opened = open(settings);
  Protocol::acceptor acceptor(acceptor_.get_executor());
  try {
    acceptor.assign(Protocol(), duplicate(opened.descriptor()));
    acceptor.non_blocking(true);
  } catch (...) {
    opened.unlink();
    throw;
  }
  boost::system::error_code none_left;
  while (!none_left) {
    Protocol::socket waiting = acceptor_.accept(none_left);
    if (!none_left) accepted(std::move(waiting));
  }
  timer_.cancel();
  acceptor_ = std::move(acceptor);
  socket_ = std::move(opened);
  accept();
  return true;
}

void Server::accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, Protocol::socket socket) {
    if (error == boost::asio::error::operation_aborted) return;
    if (error) return pause();
    accepted(std::move(socket));
    accept();
  });
}

// Without descriptors or memory, accept() would fail again at once.
void Server::pause() {
  timer_.expires_after(kWithoutDescriptors);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) accept();
  });
}

void Server::accepted(Protocol::socket socket) {
  try {
    Peer peer = peer_of(socket.native_handle());
    if (!api_.admit(peer)) return turn_away(socket.native_handle(), kForbidden);
    const bool may_change = api_.permission().may_change(peer);
    const bool full = census_->connections >= limits_.connections ||
                      (!may_change && census_->readers >= limits_.readers);
    if (full) return turn_away(socket.native_handle(), kBusy);
    serve(std::move(socket), std::move(peer), api_, limits_, census_);
  } catch (const std::exception&) {
    // The peer has left, or there is no memory for it: it sees its connection closed.
  }
}

void Server::leave() {
  acceptor_.close();
  timer_.cancel();
  socket_.disown();
}

void Server::finish(std::function<void()> done) {
  if (acceptor_.is_open()) acceptor_.close();
  timer_.cancel();
  auto finished = [this, done = std::move(done)] {
    census_->on_quiet = nullptr;
    timer_.cancel();
    done();
  };
  if (census_->answering == 0) return boost::asio::post(timer_.get_executor(), finished);
  census_->on_quiet = [this, finished] { boost::asio::post(timer_.get_executor(), finished); };
  timer_.expires_after(kFarewell);
  timer_.async_wait([finished](const boost::system::error_code& error) {
    if (!error) finished();
  });
}

}  // namespace viaduct::daemon::master::control
