#include "daemon/master/listener_set.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

using config::Address;
using config::ListenerSettings;

class ListenerSetTest : public testing::Test {
 protected:
  ListenerSettings at(const std::string& name, mode_t mode = 0660) const {
    ListenerSettings listener;
    listener.address = {Address::Kind::unix_path, directory_ / name, 0};
    listener.mode = mode;
    return listener;
  }

  static ListenerSettings inherited(const std::string& name) {
    ListenerSettings listener;
    listener.address = {Address::Kind::systemd, name, 0};
    return listener;
  }

  InheritedSockets passed(const std::vector<std::string>& names) const {
    std::vector<InheritedSockets::Entry> entries;
    for (const std::string& name : names) {
      const Address address{Address::Kind::unix_path,
                            directory_ / ("passed" + std::to_string(entries.size())), 0};
      entries.push_back({name, UniqueFd(::dup(ListenerSocket::open(address, {}).descriptor()))});
    }
    return InheritedSockets(std::move(entries));
  }

  bool exists(const std::string& name) const {
    return ::access((directory_ / name).c_str(), F_OK) == 0;
  }

  static std::string refusal(const std::vector<ListenerSettings>& listeners,
                             InheritedSockets inherited, const ListenerSet& previous = {}) {
    try {
      ListenerSet::open(listeners, inherited, previous);
    } catch (const ListenerError& error) {
      return error.what();
    }
    return "";
  }

  TemporaryDirectory directory_;
  InheritedSockets none_;
};

TEST_F(ListenerSetTest, SocketsOfUnchangedAddressAreKept) {
  ListenerSet before = ListenerSet::open({at("a"), at("b")}, none_, {});
  ListenerSet after = ListenerSet::open({at("c"), at("a", 0666)}, none_, before);
  EXPECT_EQ(after.sockets()[1], before.sockets()[0]) << "the same socket at another place";
  EXPECT_NE(after.sockets()[0], before.sockets()[1]);

  after.apply({at("c"), at("a", 0666)});
  struct stat status {};
  ASSERT_EQ(::stat((directory_ / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0666u);

  before.unlink_except(after);
  EXPECT_TRUE(exists("a"));
  EXPECT_FALSE(exists("b"));
  EXPECT_TRUE(exists("c"));
}

TEST_F(ListenerSetTest, FailureNamesTheListenerAndLeavesNothing) {
  const ListenerSet before = ListenerSet::open({at("a")}, none_, {});
  ListenerSettings broken = at("x");
  broken.address.name = "/nonexistent/x";
  EXPECT_EQ(refusal({at("a"), at("new"), broken}, {}, before),
            "listeners[2]: unix:/nonexistent/x: bind: No such file or directory (ENOENT)");
  EXPECT_FALSE(exists("new"));
  EXPECT_TRUE(exists("a"));
}

TEST_F(ListenerSetTest, InheritedSocketsAreFoundByName) {
  InheritedSockets sockets = passed({"web", "api", "web"});
  ListenerSet set =
      ListenerSet::open({inherited("api"), inherited("web"), inherited("web")}, sockets, {});
  EXPECT_EQ(set.sockets().size(), 3u);
  set.unlink_except({});
  EXPECT_TRUE(exists("passed0")) << "inherited: never removed";
  const ListenerSet again =
      ListenerSet::open({inherited("web"), inherited("api"), inherited("web")}, none_, set);
  EXPECT_EQ(again.sockets()[0], set.sockets()[1]);
}

TEST_F(ListenerSetTest, InheritedSocketsMustMatchTheListeners) {
  EXPECT_EQ(refusal({inherited("web")}, {}),
            "listeners[0]: systemd:web: no inherited descriptor has this name (LISTEN_FDNAMES)");
  EXPECT_EQ(refusal({at("a")}, passed({"web"})),
            "systemd:web: inherited, but no listener names it");
  EXPECT_FALSE(exists("a"));

  InheritedSockets sockets = passed({"web"});
  const ListenerSet before = ListenerSet::open({inherited("web")}, sockets, {});
  EXPECT_EQ(refusal({at("a")}, {}, before), "systemd:web: inherited, but no listener names it");
}

}  // namespace
}  // namespace viaduct::daemon::master
