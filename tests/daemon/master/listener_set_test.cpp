#include "daemon/master/listener_set.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include <gtest/gtest.h>

#include "daemon/channel/hand_over.hpp"
#include "daemon/master/socket_address.hpp"
#include "daemon/master/stored_listener.hpp"
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

  mode_t mode_of(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::stat((directory_ / name).c_str(), &status), 0) << name;
    return status.st_mode & 07777;
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

TEST_F(ListenerSetTest, OptionsOfAllAreSetAlthoughSomeFail) {
  ListenerSet set = ListenerSet::open({at("a"), at("b"), at("c"), at("d")}, none_, {});
  for (const char* lost : {"a", "c"}) std::filesystem::remove(directory_ / lost);
  std::string text;
  try {
    set.apply({at("a", 0640), at("b", 0640), at("c", 0640), at("d", 0640)});
  } catch (const ListenerError& error) {
    text = error.what();
    EXPECT_EQ(error.error(), ENOENT);
  }
  EXPECT_EQ(text.find("listeners[0]: unix:"), 0u) << text;
  EXPECT_NE(text.find("; listeners[2]: unix:"), std::string::npos) << text;
  for (const char* kept : {"b", "d"}) EXPECT_EQ(mode_of(kept), 0640u) << kept;
  // What takes the place of a socket later has the options, too.
  for (const auto& socket : set.sockets()) ::shutdown(socket->descriptor(), SHUT_RDWR);
  set.repair();
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_EQ(mode_of(name), 0640u) << name;
}

TEST_F(ListenerSetTest, SocketsWhoseFileIsGoneAreOpenedAnew) {
  ListenerSet before = ListenerSet::open({at("a"), at("b"), at("c")}, none_, {});
  std::filesystem::remove(directory_ / "b");
  std::filesystem::remove(directory_ / "c");
  { ListenerSocket::open(at("c").address, {}); }
  ListenerSet after = ListenerSet::open({at("a"), at("b"), at("c")}, none_, before);
  EXPECT_EQ(after.sockets()[0], before.sockets()[0]);
  for (const std::size_t i : {1, 2}) {
    EXPECT_NE(after.sockets()[i], before.sockets()[i]);
    EXPECT_TRUE(after.sockets()[i]->in_place());
    EXPECT_FALSE(before.sockets()[i]->in_place());
  }
  before.unlink_except(after);
  for (const char* name : {"a", "b", "c"}) EXPECT_TRUE(exists(name)) << name;
}

TEST_F(ListenerSetTest, WhatIsInThePlaceOfASocketIsRefusedAndNothingChanges) {
  const ListenerSet before = ListenerSet::open({at("a"), at("b")}, none_, {});
  std::filesystem::remove(directory_ / "a");
  std::filesystem::remove(directory_ / "b");
  const auto other = ListenerSocket::open(at("b").address, {});
  EXPECT_EQ(refusal({at("a"), at("b")}, {}, before),
            "listeners[1]: unix:" + at("b").address.name + " is in use by pid " +
                std::to_string(::getpid()) + " (" + process_name(::getpid()) + ")");
  EXPECT_FALSE(exists("a"));
  EXPECT_TRUE(other.in_place());
}

TEST_F(ListenerSetTest, FailureNamesTheListenerAndLeavesNothing) {
  const ListenerSet before = ListenerSet::open({at("a")}, none_, {});
  ListenerSettings broken = at("x");
  broken.address.name = "/nonexistent/x";
  EXPECT_EQ(
      refusal({at("a"), at("new"), broken}, {}, before),
      "listeners[2]: unix:/nonexistent/x: open /nonexistent: No such file or directory (ENOENT)");
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

// Sockets that a viaductd has opened before, as the service manager gives them back.
class KeptListeners : public ListenerSetTest {
 protected:
  KeptListeners() { before_ = ListenerSet::open({at("a"), at("b")}, none_, {}); }

  InheritedSockets kept(std::vector<ListenerSettings> listeners) const {
    std::vector<InheritedSockets::Entry> entries;
    for (std::size_t i = 0; i < listeners.size(); ++i) {
      entries.push_back(
          {store_name(listeners[i].address), UniqueFd(::dup(before_.sockets()[i]->descriptor()))});
    }
    return InheritedSockets(std::move(entries));
  }
  static std::uint64_t identity(const ListenerSet& set, std::size_t index) {
    return channel::socket_identity(set.sockets()[index]->descriptor());
  }

  ListenerSet before_;
};

TEST_F(KeptListeners, TakeThePlaceOfNewOnes) {
  InheritedSockets sockets = kept({at("a"), at("b")});
  ListenerSet after = ListenerSet::open({at("b", 0640), at("c"), at("a")}, sockets, {});
  EXPECT_EQ(identity(after, 0), identity(before_, 1));
  EXPECT_EQ(identity(after, 2), identity(before_, 0));
  struct stat status {};
  ASSERT_EQ(::stat((directory_ / "b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u) << "as configured";
  EXPECT_TRUE(after.sockets()[0]->made());
  after.unlink_except({});
  for (const char* name : {"a", "b", "c"}) EXPECT_FALSE(exists(name));
}

TEST_F(KeptListeners, MayBeLeftOverWithoutAnError) {
  InheritedSockets sockets = kept({at("a"), at("b")});
  ListenerSet::open({at("a")}, sockets, {});
  EXPECT_TRUE(sockets.left().empty());
  const auto left = sockets.take_stored();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].name, store_name(at("b").address));
  EXPECT_TRUE(sockets.take_stored().empty());
}

TEST_F(KeptListeners, WhoseFileIsGoneOrAnothersAreReplaced) {
  InheritedSockets sockets = kept({at("a"), at("b")});
  std::filesystem::remove(directory_ / "a");
  std::filesystem::remove(directory_ / "b");
  // Nobody listens at it any more.
  { ListenerSocket::open(at("b").address, {}); }
  const ListenerSet after = ListenerSet::open({at("a"), at("b")}, sockets, {});
  for (const std::size_t i : {0, 1}) {
    EXPECT_NE(identity(after, i), identity(before_, i));
    // Whoever has connected to the former one waits in it.
    const UniqueFd former = after.sockets()[i]->take_former();
    EXPECT_EQ(channel::socket_identity(former.get()), identity(before_, i));
    EXPECT_FALSE(after.sockets()[i]->take_former());
  }
  EXPECT_TRUE(exists("a") && exists("b"));
}

TEST_F(KeptListeners, UnderAWrongNameAreNotUsed) {
  std::vector<InheritedSockets::Entry> entries;
  entries.push_back(
      {store_name(at("c").address), UniqueFd(::dup(before_.sockets()[0]->descriptor()))});
  entries.push_back({store_name(at("c").address), UniqueFd(::open("/dev/null", O_RDONLY))});
  InheritedSockets sockets(std::move(entries));
  const ListenerSet after = ListenerSet::open({at("c")}, sockets, {});
  EXPECT_NE(identity(after, 0), identity(before_, 0));
  EXPECT_FALSE(after.sockets()[0]->has_former());
  EXPECT_TRUE(sockets.take_stored().empty());
}

// The bridge is to accept from a former socket, and nothing else would do for that.
TEST_F(KeptListeners, AreFormerOnesOfTheirAddressOnly) {
  const auto unix_socket = [](int type, const std::string& path) {
    UniqueFd made(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    const SocketAddress address = unix_address(path);
    EXPECT_EQ(::bind(made.get(), address.get(), address.length), 0) << path;
    std::filesystem::remove(path);
    return made;
  };
  const std::string path = at("c").address.name;
  const auto listening = [&](int type) {
    UniqueFd made = unix_socket(type, path);
    EXPECT_EQ(::listen(made.get(), 1), 0);
    return made;
  };
  const auto tcp = ListenerSocket::open({Address::Kind::tcp, "127.0.0.1", 0}, {});
  const auto abstract = ListenerSocket::open({Address::Kind::unix_abstract, path, 0}, {});
  struct Row {
    const char* what;
    UniqueFd socket;
    bool former;
  };
  std::vector<Row> rows;
  rows.push_back({"a listener of this path", listening(SOCK_STREAM), true});
  rows.push_back({"of another path", UniqueFd(::dup(before_.sockets()[0]->descriptor())), false});
  rows.push_back({"it does not listen", unix_socket(SOCK_STREAM, path), false});
  rows.push_back({"packets", listening(SOCK_SEQPACKET), false});
  rows.push_back({"datagrams", unix_socket(SOCK_DGRAM, path), false});
  rows.push_back({"TCP", UniqueFd(::dup(tcp.descriptor())), false});
  rows.push_back({"an abstract name", UniqueFd(::dup(abstract.descriptor())), false});
  rows.push_back({"a file", UniqueFd(::open("/dev/null", O_RDONLY)), false});
  for (Row& row : rows) {
    std::vector<InheritedSockets::Entry> entries;
    entries.push_back({store_name(at("c").address), std::move(row.socket)});
    InheritedSockets sockets(std::move(entries));
    ListenerSet after = ListenerSet::open({at("c")}, sockets, {});
    EXPECT_EQ(after.sockets()[0]->has_former(), row.former) << row.what;
    EXPECT_TRUE(sockets.take_stored().empty()) << row.what;
    after.unlink_except({});
  }
}

}  // namespace
}  // namespace viaduct::daemon::master
