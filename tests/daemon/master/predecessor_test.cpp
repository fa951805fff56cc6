#include "daemon/master/predecessor.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

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
  predecessor.report_ready(io, [&](UniqueFd connections) {
    ++called;
    with_connections = static_cast<bool>(connections);
  });
  std::error_code error;
  channel::BackgroundCloser closer;
  const auto line = upgrade::receive(old_.get(), closer, error);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text, "ready");
  say("later version");
  say("serve", old_.get());
  io.run();
  EXPECT_EQ(called, 1);
  EXPECT_TRUE(with_connections);
}

TEST_F(PredecessorTest, ServesWhenTheOldOneIsGone) {
  say("listeners end");
  Predecessor predecessor(std::move(new_));
  boost::asio::io_context io;
  int called = 0;
  predecessor.report_ready(io, [&](UniqueFd connections) {
    ++called;
    EXPECT_FALSE(connections);
  });
  old_.reset();
  io.run();
  EXPECT_EQ(called, 1);
}

}  // namespace
}  // namespace viaduct::daemon::master
