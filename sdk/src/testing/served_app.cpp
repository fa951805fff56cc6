#include "sdk/src/testing/served_app.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "sdk/src/app_settings.hpp"
#include "sdk/src/guard.hpp"
#include "sdk/src/runtime/sockets.hpp"
#include "sdk/src/testing/connection.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

using detail::Listener;

constexpr std::uint32_t kThreads = 8;
constexpr std::uint32_t kFibers = 1000;

detail::ServerOptions options_for(const App& app) {
  Model model = detail::AppAccess::settings(app).model.value_or(Model::threads);
  if (const char* const named = std::getenv("VIADUCT_MODEL")) {
    if (named == std::string_view("threads")) {
      model = Model::threads;
    } else if (named == std::string_view("fibers")) {
      model = Model::fibers;
    } else {
      throw std::invalid_argument(std::string("VIADUCT_MODEL=") + named +
                                  ": neither threads nor fibers");
    }
  }
  detail::ServerOptions options;
  options.model = model;
  options.limit = model == Model::fibers ? kFibers : kThreads;
  return options;
}

Listener::Protocol protocol_of(Via via) {
  switch (via) {
    case Via::fastcgi:
      return Listener::Protocol::fastcgi;
    case Via::scgi:
      return Listener::Protocol::scgi;
    case Via::uwsgi:
      return Listener::Protocol::uwsgi;
    case Via::http:
      return Listener::Protocol::http;
    default:
      throw std::invalid_argument("this transport has no listener");
  }
}

std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "getsockname");
  }
  return ntohs(address.sin_port);
}

}  // namespace

std::unique_ptr<Transport> make_transport(Via via) {
  switch (via) {
    case Via::scgi:
      return make_scgi_transport();
    case Via::uwsgi:
      return make_uwsgi_transport();
    case Via::http:
      return make_http_transport();
    default:
      return make_fastcgi_transport();
  }
}

ServedApp::ServedApp(const App& app, Via via) : via_(via), server_(app, options_for(app)) {
  const Listener::Protocol protocol = protocol_of(via);
  const int fd = detail::listen_on("tcp:127.0.0.1:0").fd;
  server_.listen(fd, protocol);
  port_ = port_of(fd);
  thread_ = std::thread([this, fd] {
    detail::guard([this] { server_.run(); },
                  [this, fd](const std::exception_ptr& error) {
                    failure_.set_value(error);
                    // Ends connections that wait to be accepted.
                    ::shutdown(fd, SHUT_RDWR);
                  });
  });
}

ServedApp::~ServedApp() {
  server_.drain();
  thread_.join();
}

void ServedApp::exchange(const Outgoing& request, ReplyBuilder& reply,
                         std::chrono::milliseconds limit) {
  const auto until = Connection::Clock::now() + limit;
  const auto complain = [&](const char* what) {
    throw std::runtime_error(request.method + ' ' + request.target + ": " + what + " within " +
                             std::to_string(limit.count()) + " ms");
  };
  {
    const std::unique_ptr<Transport> transport = make_transport(via_);
    transport->begin(request);
    Connection connection(port_);
    const bool performed = connection.perform(*transport, reply, until);
    if (failed_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
      std::rethrow_exception(failed_.get());
    }
    if (!performed) complain("no complete answer");
  }
  if (reply.left() && !server_.wait_until_idle(until)) {
    complain("the handler did not return after the client had left");
  }
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
