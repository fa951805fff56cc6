#include "daemon/master/predecessor.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/channel/packet.hpp"
#include "daemon/master/upgrade_text.hpp"
#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

class PredecessorTest : public testing::Test {
 protected:
  PredecessorTest() {
    const channel::Pair pair = channel::make_pair();
    old_.reset(pair.first);
    new_.reset(pair.second);
  }

  void say(std::string_view text, int descriptor = -1) {
    ASSERT_FALSE(upgrade::send(old_.get(), text, descriptor));
  }

  std::string failure() {
    try {
      Predecessor predecessor(std::move(new_));
    } catch (const std::exception& error) {
      return error.what();
    }
    return "none";
  }

  static std::string environment_failure(const char* value) {
    ::setenv(upgrade::kVariable, value, 1);
    try {
      (void)Predecessor::from_environment();
    } catch (const std::exception& error) {
      EXPECT_EQ(std::getenv(upgrade::kVariable), nullptr);
      return error.what();
    }
    return "none";
  }

  static bool listens(int socket) {
    int listening = 0;
    socklen_t size = sizeof(listening);
    ::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
    return listening != 0;
  }

  static std::uint16_t free_port() {
    const config::Address any{config::Address::Kind::tcp, "127.0.0.1", 0};
    return ListenerSocket::open(any, {}).port();
  }

  TemporaryDirectory directory_;
  UniqueFd old_, new_;
};

TEST_F(PredecessorTest, WithoutTheVariableThereIsNone) {
  ::unsetenv(upgrade::kVariable);
  EXPECT_FALSE(Predecessor::from_environment());
}

TEST_F(PredecessorTest, VariableMustNameADescriptor) {
  for (const char* value : {"", "x", "2", "3x", "99999", "-1", "99999999999999999999"}) {
    EXPECT_EQ(environment_failure(value), "taking over from another viaductd: VIADUCT_UPGRADE=" +
                                              std::string(value) + " names no descriptor");
  }
}

TEST_F(PredecessorTest, TakesOverListenersWithTheirFiles) {
  const auto address =
      std::get<config::Address>(config::parse_address("unix:" + directory_ / "web.sock"));
  const ListenerSocket made = ListenerSocket::open(address, {});
  say("listener made " + format(address), made.descriptor());
  say("something of a later version");
  say("listeners end");
  Predecessor predecessor(std::move(new_));
  ASSERT_EQ(predecessor.listeners().sockets().size(), 1u);
  EXPECT_EQ(predecessor.listeners().sockets().front()->address(), address);
  predecessor.listeners().unlink_except({});
  EXPECT_FALSE(std::filesystem::exists(address.name)) << "the file is the successor's to remove";
}

TEST_F(PredecessorTest, InheritedSocketsKeepTheirFiles) {
  const auto address =
      std::get<config::Address>(config::parse_address("unix:" + directory_ / "web.sock"));
  const ListenerSocket made = ListenerSocket::open(address, {});
  say("listener inherited systemd:web", made.descriptor());
  say("listeners end");
  Predecessor predecessor(std::move(new_));
  predecessor.listeners().unlink_except({});
  EXPECT_TRUE(std::filesystem::exists(address.name));
}

// A bridge in other hands ends the listening as often as it likes.
TEST_F(PredecessorTest, SocketThatDoesNotListenIsTakenAsItIsAndPutRightLater) {
  const auto address = std::get<config::Address>(
      config::parse_address("tcp:127.0.0.1:" + std::to_string(free_port())));
  for (const char* kind : {"listener made ", "listener inherited "}) {
    const ListenerSocket socket = ListenerSocket::open(address, {});
    ASSERT_EQ(::shutdown(socket.descriptor(), SHUT_RDWR), 0);
    const channel::Pair pair = channel::make_pair();
    old_.reset(pair.first);
    say(kind + format(address), socket.descriptor());
    say("listeners end");
    Predecessor predecessor{UniqueFd(pair.second)};
    ASSERT_EQ(predecessor.listeners().sockets().size(), 1u);
    ListenerSocket& taken = *predecessor.listeners().sockets().front();
    EXPECT_FALSE(listens(socket.descriptor())) << "it is still the other's";
    ASSERT_TRUE(taken.repair());
    EXPECT_TRUE(listens(taken.descriptor())) << kind;
    EXPECT_EQ(taken.made(), std::string(kind) == "listener made ");
  }
}

TEST_F(PredecessorTest, OldOneThatEndsTooEarly) {
  old_.reset();
  EXPECT_NE(failure().find("taking over from another viaductd: "), std::string::npos);
}

TEST_F(PredecessorTest, LineWithoutASocket) {
  say("listener made unix:/nowhere/web.sock");
  EXPECT_NE(failure().find("unix:/nowhere/web.sock"), std::string::npos);
}

TEST_F(PredecessorTest, LineWithoutAnAddress) {
  say("listener made nothing", old_.get());
  EXPECT_EQ(failure(), "taking over from another viaductd: 'listener made nothing'");
}

TEST_F(PredecessorTest, LinesHaveALimit) {
  say(std::string(4096, 'x'));
  say("listeners end");
  EXPECT_EQ(failure(), "none");
}

TEST_F(PredecessorTest, LineBeyondTheLimit) {
  say(std::string(4097, 'x'));
  EXPECT_NE(failure().find("taking over from another viaductd: "), std::string::npos);
}

TEST_F(PredecessorTest, IsToldOnceThatItMayServe) {
  say("listeners end");
  Predecessor predecessor(std::move(new_));
  boost::asio::io_context io;
  int called = 0;
  bool with_connections = false;
  std::vector<BridgeHandle> bridges;
  predecessor.report_ready(io, [&](Inheritance inheritance) {
    ++called;
    with_connections = static_cast<bool>(inheritance.connections);
    bridges = std::move(inheritance.bridges);
  });
  std::error_code error;
  channel::BackgroundCloser closer;
  const auto line = upgrade::receive(old_.get(), closer, error);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text, "ready");
  say("later version");
  say("bridge 812", old_.get());
  say("bridge 813");
  for (const char* nobody :
       {"bridge ", "bridge 0", "bridge -1", "bridge 7x", "bridge 99999999999"}) {
    say(nobody);
  }
  say("serve", old_.get());
  io.run();
  EXPECT_EQ(called, 1);
  EXPECT_TRUE(with_connections);
  ASSERT_EQ(bridges.size(), 2u);
  EXPECT_EQ(bridges[0].pid, 812);
  EXPECT_TRUE(bridges[0].process) << "it lives";
  EXPECT_EQ(bridges[1].pid, 813);
  EXPECT_FALSE(bridges[1].process) << "it has ended";
}

TEST_F(PredecessorTest, NamesItsOwnBridges) {
  say("listeners end");
  Predecessor predecessor(std::move(new_));
  predecessor.name_bridge(::getpid());
  std::error_code error;
  channel::BackgroundCloser closer;
  auto line = upgrade::receive(old_.get(), closer, error);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text, "bridge " + std::to_string(::getpid()));
  const BridgeHandle bridge = upgrade::bridge_of(*line);
  EXPECT_EQ(bridge.pid, ::getpid());
  EXPECT_TRUE(bridge.process);
}

TEST_F(PredecessorTest, ServesWhenTheOldOneIsGone) {
  say("listeners end");
  Predecessor predecessor(std::move(new_));
  boost::asio::io_context io;
  int called = 0;
  predecessor.report_ready(io, [&](const Inheritance& inheritance) {
    ++called;
    EXPECT_FALSE(inheritance.connections);
  });
  old_.reset();
  io.run();
  EXPECT_EQ(called, 1);
}

}  // namespace
}  // namespace viaduct::daemon::master
