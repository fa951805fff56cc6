#include "daemon/master/stored_listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "daemon/master/listener_socket.hpp"
#include "daemon/master/socket_address.hpp"
#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

using config::Address;

Address unix_path(const std::string& path) {
  return {Address::Kind::unix_path, path, 0};
}

Address tcp(const std::string& host, std::uint16_t port) {
  return {Address::Kind::tcp, host, port};
}

// What systemd takes (fdname_is_valid).
bool is_valid(const std::string& name) {
  return name.size() <= 255 && std::all_of(name.begin(), name.end(),
                                           [](char c) { return c >= ' ' && c < 0x7F && c != ':'; });
}

TEST(StoreNameTest, SaysTheAddressInWhatNamesMayHave) {
  struct Row {
    Address address;
    std::string name;
  };
  const Row rows[] = {
      {unix_path("/run/viaduct/web.sock"), "viaduct-listener=unix%3A/run/viaduct/web.sock"},
      {unix_path("/run/a b:%\xff"), "viaduct-listener=unix%3A/run/a%20b%3A%25%FF"},
      {{Address::Kind::unix_abstract, "web", 0}, "viaduct-listener=unix%3A@web"},
      {tcp("127.0.0.1", 9000), "viaduct-listener=tcp%3A127.0.0.1%3A9000"},
      {tcp("::1", 9000), "viaduct-listener=tcp%3A[%3A%3A1]%3A9000"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(store_name(row.address), row.name);
    EXPECT_TRUE(is_valid(row.name));
    EXPECT_TRUE(is_store_name(row.name));
  }
  for (const char* other : {"web", "stored", "", "viaduct-listener"}) {
    EXPECT_FALSE(is_store_name(other)) << other;
  }
}

TEST(StoreNameTest, LongOnesDifferAndFit) {
  // The prefix and "unix%3A" leave room for 231 bytes: 77 of these.
  const std::string fits = store_name(unix_path(std::string(77, '\xff')));
  EXPECT_EQ(fits.size(), 255u);
  EXPECT_TRUE(fits.ends_with("%FF%FF"));
  const std::string one = store_name(unix_path(std::string(77, '\xff') + "a"));
  const std::string other = store_name(unix_path(std::string(77, '\xff') + "b"));
  for (const std::string& name : {one, other}) {
    EXPECT_EQ(name.size(), 255u);
    EXPECT_TRUE(is_valid(name)) << name;
    EXPECT_TRUE(is_store_name(name));
  }
  EXPECT_NE(one, other);
  EXPECT_EQ(one, store_name(unix_path(std::string(77, '\xff') + "a")));
}

TEST(StoredListenerTest, IsReachedWhereItIsBound) {
  const TemporaryDirectory directory;
  const Address file = unix_path(directory / "a");
  const Address abstract{Address::Kind::unix_abstract, directory / "a", 0};
  const auto at_file = ListenerSocket::open(file, {});
  const auto at_name = ListenerSocket::open(abstract, {});
  // The kernel chooses the port.
  const auto at_port = ListenerSocket::open(tcp("127.0.0.1", 0), {});
  const Address port = tcp("127.0.0.1", at_port.port());
  struct Row {
    const ListenerSocket& socket;
    const Address& address;
  };
  const Row rows[] = {{at_file, file}, {at_name, abstract}, {at_port, port}};
  for (const Row& row : rows) {
    for (const Row& other : rows) {
      EXPECT_EQ(is_reached_at(row.socket.descriptor(), other.address), row.address == other.address)
          << format(row.address) << " at " << format(other.address);
    }
  }
  EXPECT_FALSE(is_reached_at(at_port.descriptor(), tcp("127.0.0.2", at_port.port())));
  EXPECT_FALSE(is_reached_at(at_port.descriptor(), tcp("host.invalid", at_port.port())));
  EXPECT_FALSE(is_reached_at(at_file.descriptor(), unix_path(directory / "ab")));
  EXPECT_FALSE(is_reached_at(at_file.descriptor(), {Address::Kind::systemd, "a", 0}));
  EXPECT_EQ(bound_path(at_file.descriptor()), file.name);
  EXPECT_EQ(bound_path(at_name.descriptor()), "");
  EXPECT_EQ(bound_path(at_port.descriptor()), "");
}

TEST(StoredListenerTest, OnIPv6) {
  const UniqueFd probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress any = tcp_addresses("::1", 0).front();
  if (!probe || ::bind(probe.get(), any.get(), any.length) != 0) GTEST_SKIP() << "no IPv6 here";
  const auto socket = ListenerSocket::open(tcp("::1", 0), {});
  EXPECT_TRUE(is_reached_at(socket.descriptor(), tcp("::1", socket.port())));
  EXPECT_FALSE(is_reached_at(socket.descriptor(), tcp("::", socket.port())));
  EXPECT_FALSE(is_reached_at(socket.descriptor(), tcp("127.0.0.1", socket.port())));
}

TEST(StoredListenerTest, WhatDoesNotListenIsNone) {
  const TemporaryDirectory directory;
  const SocketAddress target = unix_address(directory / "a");
  const UniqueFd bound(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(bound.get(), target.get(), target.length), 0);
  EXPECT_FALSE(is_reached_at(bound.get(), unix_path(directory / "a")));
  const UniqueFd datagram(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  EXPECT_FALSE(is_reached_at(datagram.get(), unix_path(directory / "a")));
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(is_reached_at(null.get(), unix_path(directory / "a")));
  EXPECT_FALSE(is_reached_at(-1, unix_path(directory / "a")));
  EXPECT_EQ(bound_path(null.get()), "");
}

TEST(StoredListenerTest, FileThatIsGoneOrAnothersLeadsElsewhere) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "a");
  const auto socket = ListenerSocket::open(address, {});
  std::filesystem::rename(address.name, directory / "b");
  EXPECT_FALSE(is_reached_at(socket.descriptor(), address)) << "there is none";
  { ListenerSocket::open(address, {}); }
  EXPECT_FALSE(is_reached_at(socket.descriptor(), address)) << "it is a dead one's";
  std::filesystem::remove(address.name);

  // Another process listens there.
  int ready[2];
  ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
  const pid_t other = ::fork();
  if (other == 0) {
    const auto theirs = ListenerSocket::open(address, {});
    (void)!::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_FALSE(is_reached_at(socket.descriptor(), address)) << "it is another's";
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);

  std::filesystem::rename(directory / "b", address.name);
  EXPECT_TRUE(is_reached_at(socket.descriptor(), address));
}

TEST(StoredListenerTest, FullQueueIsNoReasonToGiveItUp) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "a");
  const auto socket = ListenerSocket::open(address, {.uid = {}, .gid = {}, .backlog = 0});
  const SocketAddress target = unix_address(address.name);
  std::vector<UniqueFd> waiting;
  for (;;) {
    waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (::connect(waiting.back().get(), target.get(), target.length) != 0) break;
  }
  ASSERT_EQ(errno, EAGAIN);
  EXPECT_TRUE(is_reached_at(socket.descriptor(), address));
}

TEST(StoreChangesTest, TurnOneContentIntoTheOther) {
  struct Row {
    StoreContent before;
    StoreContent after;
    StoreChanges changes;
  };
  const Row rows[] = {
      {{}, {}, {}},
      {{}, {{"a", 1}, {"b", 2}}, {{}, {"a", "b"}}},
      {{{"a", 1}}, {{"a", 1}}, {}},
      {{{"a", 1}, {"b", 2}}, {{"b", 2}, {"c", 3}}, {{"a"}, {"c"}}},
      {{{"a", 1}}, {{"a", 2}}, {{"a"}, {"a"}}},
      {{{"a", 1}, {"b", 2}}, {}, {{"a", "b"}, {}}},
  };
  for (const Row& row : rows) EXPECT_EQ(store_changes(row.before, row.after), row.changes);
}

}  // namespace
}  // namespace viaduct::daemon::master
