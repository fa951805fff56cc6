// What a link keeps of a burst.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "daemon/bridge/link/link.hpp"
#include "daemon/bridge/reactor.hpp"
#include "daemon/channel/unique_fd.hpp"

namespace viaduct::daemon::bridge {
namespace {

class Owner final : public LinkOwner {
 public:
  void on_values(Link&, const protocol::fastcgi::Values&) override {}
  void on_request_end(Link&, Clock::duration) override {}
  void on_closed(Link&, std::size_t, std::size_t, const std::string&) override {}
};

/// A request without a body.
class Request final : public Caller {
 public:
  void on_output(protocol::Bytes) override {}
  void on_errors(protocol::Bytes) override {}
  void on_trace(std::string_view) override {}
  void on_end(std::uint32_t, protocol::fastcgi::ProtocolStatus) override {}
  bool on_lost(Lost) override { return true; }
  protocol::Bytes peek_input(std::size_t) override { return {}; }
  void consume_input(std::size_t) override {}
  [[nodiscard]] bool input_complete() const override { return true; }
  bool begin_data() override { return false; }
};

class LinkMemory : public ::testing::Test {
 protected:
  LinkMemory() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    ::unlink(path.c_str());
    EXPECT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    const Reactor::Event event(reactor);
    EXPECT_FALSE(link.connect(unix_destination(path)));
  }
  ~LinkMemory() override { ::unlink(path.c_str()); }

  const std::string path =
      (std::filesystem::temp_directory_path() / ("viaduct-link-" + std::to_string(::getpid())))
          .string();
  UniqueFd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  Owner owner;
  Request request;
  Reactor reactor{0};
  Link link{reactor, owner};
};

TEST_F(LinkMemory, IsCountedAndGivenBackOnceTheServerHasTakenEverything) {
  protocol::Pairs params;
  params.add("HTTP_LONG", std::string(2'000'000, 'l'));
  {
    const Reactor::Event event(reactor);
    link.begin(request, protocol::Role::responder, params, true);
    link.flush();
  }
  EXPECT_GE(reactor.memory().held(), 1'000'000u) << "no socket takes that at once";
  const UniqueFd server(::accept(listener.get(), nullptr, nullptr));
  std::array<char, 64 * 1024> buffer;
  std::size_t taken = 0;
  const auto end = Clock::now() + std::chrono::seconds(60);
  while (taken < params.bytes() || link.congested()) {
    ASSERT_LT(Clock::now(), end);
    const ssize_t count = ::recv(server.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count > 0) taken += static_cast<std::size_t>(count);
    reactor.context().run_one_for(std::chrono::milliseconds(1));
  }
  EXPECT_LE(reactor.memory().held(), 64u * 1024);
  const Reactor::Event event(reactor);
  link.close("the end");
}

}  // namespace
}  // namespace viaduct::daemon::bridge
