#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/config/settings.hpp"
#include "daemon/master/control/api.hpp"
#include "daemon/master/control/limits.hpp"
#include "daemon/master/listener_socket.hpp"

namespace viaduct::daemon::master::control {

/// The control socket. Never blocks the event loop, whatever its peers do.
class Server {
 public:
  /// Opens the socket and answers from the event loop's next turn on. Throws ListenerError, whose
  /// text begins with "control: ". `api` is borrowed and outlives the loop's last turn.
  Server(boost::asio::io_context& io, const config::ControlSettings& settings, Api& api,
         Limits limits = {});
  /// Answers on a socket that another daemon has opened. Throws ListenerError likewise when it
  /// cannot have owner and mode of `settings`.
  Server(boost::asio::io_context& io, const config::ControlSettings& settings, Api& api,
         ListenerSocket socket, Limits limits = {});
  /// Removes the socket file if it is still its own.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Opens the socket anew if its file is gone or has been replaced; who has connected to the
  /// former one is still answered. Returns whether that was so. Throws ListenerError, as the
  /// constructor, and goes on with the former one.
  bool renew(const config::ControlSettings& settings);

  const ListenerSocket& socket() const { return socket_; }

  /// Accepts nobody any more and leaves the socket to another daemon, which has it, too. Answers
  /// that are under way are still given.
  void leave();

  /// Accepts nobody any more and calls `done` when every answer that is under way has been taken,
  /// at the latest after a second.
  void finish(std::function<void()> done);

 private:
  using Protocol = boost::asio::local::stream_protocol;

  void accept();
  void accepted(Protocol::socket socket);
  void pause();

  Api& api_;
  Limits limits_;
  ListenerSocket socket_;
  Protocol::acceptor acceptor_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<Census> census_ = std::make_shared<Census>();
};

}  // namespace viaduct::daemon::master::control
