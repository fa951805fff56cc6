#include "daemon/master/listener_socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include <gtest/gtest.h>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/master/socket_address.hpp"
#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

using config::Address;

Address unix_path(const std::string& path) {
  return {Address::Kind::unix_path, path, 0};
}

std::string refusal(const Address& address) {
  try {
    ListenerSocket::open(address, {});
  } catch (const ListenerError& error) {
    return error.what();
  }
  return "";
}

struct stat status_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0);
  return status;
}

std::string in_use_by_us() {
  return " is in use by pid " + std::to_string(::getpid()) + " (" + process_name(::getpid()) + ")";
}

TEST(ListenerSocketTest, FileHasTheConfiguredOwnerAndMode) {
  const TemporaryDirectory directory;
  ListenerOptions options{.uid = {}, .gid = {}, .mode = 0600, .backlog = 16};
  if (::geteuid() == 0) {
    options.uid = 1;
    options.gid = 2;
  }
  const auto socket = ListenerSocket::open(unix_path(directory / "web.sock"), options);
  const auto status = status_of(directory / "web.sock");
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_EQ(status.st_uid, options.uid.value_or(::geteuid()));
  EXPECT_EQ(status.st_gid, options.gid.value_or(::getegid()));
  EXPECT_TRUE(probe_listener(unix_address(directory / "web.sock")).alive);
}

TEST(ListenerSocketTest, FileOfADeadDaemonIsReplaced) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "web.sock");
  { ListenerSocket::open(address, {}); }
  ASSERT_TRUE(S_ISSOCK(status_of(address.name).st_mode)) << "left behind on purpose";
  ListenerSocket::open(address, {});
}

TEST(ListenerSocketTest, LiveSocketIsRefusedWithItsOwner) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "web.sock");
  const auto alive = ListenerSocket::open(address, {});
  EXPECT_EQ(refusal(address), "unix:" + address.name + in_use_by_us());
  EXPECT_TRUE(probe_listener(unix_address(address.name)).alive) << "and left alone";
}

bool connects(int family, const SocketAddress& target) {
  const UniqueFd client(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(client.get(), target.get(), target.length) == 0;
}

void shut_down(int descriptor) {
  ASSERT_EQ(::shutdown(descriptor, SHUT_RD), 0);
}

void disconnect(int descriptor) {
  const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
  ASSERT_EQ(::connect(descriptor, &nobody, sizeof(nobody)), 0);
}

UniqueFd copy_of(const ListenerSocket& socket) {
  return UniqueFd(::fcntl(socket.descriptor(), F_DUPFD_CLOEXEC, 0));
}

TEST(ListenerSocketTest, ATcpSocketThatABridgeHasShutDownIsBoundAnew) {
  for (const auto end : {shut_down, disconnect}) {
    auto socket = ListenerSocket::open({Address::Kind::tcp, "127.0.0.1", 0}, {});
    EXPECT_FALSE(socket.repair()) << "it listens";
    const std::uint16_t port = socket.port();
    const SocketAddress target = tcp_addresses("127.0.0.1", port).front();
    const UniqueFd of_the_bridge = copy_of(socket);
    end(of_the_bridge.get());
    EXPECT_FALSE(connects(AF_INET, target));
    const auto repair = socket.repair();
    ASSERT_TRUE(repair);
    EXPECT_EQ(repair->kind, ListenerRepair::Kind::bound_anew) << repair->failure;
    EXPECT_EQ(socket.port(), port) << "that the kernel chose";
    EXPECT_EQ(socket.replaced(), 1u);
    EXPECT_TRUE(connects(AF_INET, target));
    ::shutdown(of_the_bridge.get(), SHUT_RDWR);
    EXPECT_FALSE(socket.repair()) << "the bridge has nothing of it";
    EXPECT_TRUE(connects(AF_INET, target));
  }
}

TEST(ListenerSocketTest, AUnixSocketThatABridgeHasShutDownIsBoundAnew) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "web.sock");
  const SocketAddress target = unix_address(address.name);
  for (const int how : {SHUT_RD, SHUT_RDWR}) {
    auto socket = ListenerSocket::open(address, {.uid = {}, .gid = {}, .mode = 0600, .backlog = 8});
    const UniqueFd of_the_bridge = copy_of(socket);
    EXPECT_FALSE(socket.repair()) << "it listens";
    ASSERT_EQ(::shutdown(of_the_bridge.get(), how), 0);
    EXPECT_FALSE(connects(AF_UNIX, target));
    const auto repair = socket.repair();
    ASSERT_TRUE(repair);
    EXPECT_EQ(repair->kind, ListenerRepair::Kind::bound_anew) << repair->failure;
    EXPECT_EQ(socket.replaced(), 1u);
    EXPECT_EQ(status_of(address.name).st_mode & 07777, 0600u);
    EXPECT_TRUE(connects(AF_UNIX, target));
    EXPECT_FALSE(socket.repair());
    socket.unlink();
    EXPECT_FALSE(connects(AF_UNIX, target)) << "the file was its own";
  }
}

TEST(ListenerSocketTest, AnAbstractNameIsFreeOnceNobodyHasTheSocket) {
  const Address address{Address::Kind::unix_abstract,
                        "viaduct-repair-" + std::to_string(::getpid()), 0};
  auto socket = ListenerSocket::open(address, {});
  UniqueFd of_the_bridge = copy_of(socket);
  shut_down(of_the_bridge.get());
  const auto failed = socket.repair();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->kind, ListenerRepair::Kind::failed);
  EXPECT_TRUE(failed->held_by_others);
  EXPECT_EQ(socket.failure(), failed->failure);
  EXPECT_FALSE(socket.repair()) << "said once";
  of_the_bridge.reset();
  const auto repair = socket.repair();
  ASSERT_TRUE(repair);
  EXPECT_EQ(repair->kind, ListenerRepair::Kind::bound_anew);
  EXPECT_EQ(socket.failure(), "");
  EXPECT_TRUE(connects(AF_UNIX, unix_address(address.name, true)));
}

TEST(ListenerSocketTest, WhatHasTakenThePlaceOfAShutSocketIsLeftAlone) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "web.sock");
  auto socket = ListenerSocket::open(address, {});
  shut_down(copy_of(socket).get());
  ASSERT_EQ(::unlink(address.name.c_str()), 0);
  std::ofstream(address.name) << "precious";
  const auto failed = socket.repair();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->failure, "unix:" + address.name + " exists and is no socket");
  EXPECT_TRUE(S_ISREG(status_of(address.name).st_mode));
}

TEST(ListenerSocketTest, AnInheritedUnixSocketThatIsShutDownIsReportedByName) {
  const TemporaryDirectory directory;
  const auto of_the_manager = ListenerSocket::open(unix_path(directory / "s"), {});
  auto socket =
      ListenerSocket::inherit(copy_of(of_the_manager), {Address::Kind::systemd, "web", 0});
  EXPECT_FALSE(socket.repair());
  shut_down(socket.descriptor());
  const auto failed = socket.repair();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->kind, ListenerRepair::Kind::failed);
  EXPECT_EQ(failed->failure,
            "systemd:web: shut down; restart the socket unit of its descriptor, \"web\"");
  EXPECT_FALSE(socket.repair()) << "said once";
  EXPECT_EQ(socket.failure(), failed->failure);
}

TEST(ListenerSocketTest, AnInheritedTcpSocketListensAgain) {
  Address address{Address::Kind::tcp, "127.0.0.1", 0};
  // Only a port that was asked for stays bound.
  address.port = ListenerSocket::open(address, {}).port();
  const auto of_the_manager = ListenerSocket::open(address, {});
  auto socket =
      ListenerSocket::inherit(copy_of(of_the_manager), {Address::Kind::systemd, "web", 0});
  const SocketAddress target = tcp_addresses("127.0.0.1", address.port).front();
  for (const auto end : {shut_down, disconnect}) {
    end(socket.descriptor());
    EXPECT_FALSE(connects(AF_INET, target));
    const auto repair = socket.repair();
    ASSERT_TRUE(repair);
    EXPECT_EQ(repair->kind, ListenerRepair::Kind::listens_again);
    EXPECT_EQ(socket.replaced(), 0u);
    EXPECT_TRUE(connects(AF_INET, target));
  }
}

// The connection that is accepted next.
UniqueFd accept_from(const ListenerSocket& socket) {
  const SocketAddress target = tcp_addresses("127.0.0.1", socket.port()).front();
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(client.get(), target.get(), target.length), 0);
  UniqueFd accepted(::accept4(socket.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_GE(accepted.get(), 0);
  return accepted;
}

struct Option {
  const char* name;
  int level, option;
  int hostile;  // what a bridge sets
  int usual;
};

constexpr std::array<Option, 4> kInherited{
    {{"SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 100'000, 1},
     {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1, 0},
     {"TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 1, 0},
     {"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 1, 0}}};

int value_of(int socket, const Option& option) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(::getsockopt(socket, option.level, option.option, &value, &size), 0) << option.name;
  return value;
}

int linger_of(int socket) {
  linger value{};
  socklen_t size = sizeof(value);
  EXPECT_EQ(::getsockopt(socket, SOL_SOCKET, SO_LINGER, &value, &size), 0);
  return value.l_onoff;
}

// A bridge gives SO_KEEPALIVE and its times to each connection.
TEST(ListenerSocketTest, ConnectionsInheritNothingOfAFormerBridge) {
  auto socket = ListenerSocket::open({Address::Kind::tcp, "127.0.0.1", 0}, {});
  const UniqueFd of_the_bridge(::fcntl(socket.descriptor(), F_DUPFD_CLOEXEC, 0));
  const linger hour{1, 3600};
  ASSERT_EQ(::setsockopt(of_the_bridge.get(), SOL_SOCKET, SO_LINGER, &hour, sizeof(hour)), 0);
  ASSERT_NE(linger_of(accept_from(socket).get()), 0) << "it is inherited";
  for (const Option& one : kInherited) {
    ASSERT_EQ(
        ::setsockopt(of_the_bridge.get(), one.level, one.option, &one.hostile, sizeof(one.hostile)),
        0)
        << one.name;
    ASSERT_NE(value_of(socket.descriptor(), one), one.usual) << one.name;
  }
  socket.reset_options();
  const UniqueFd accepted = accept_from(socket);
  EXPECT_EQ(linger_of(accepted.get()), 0);
  for (const Option& one : kInherited) {
    EXPECT_EQ(value_of(socket.descriptor(), one), one.usual) << one.name;
    EXPECT_EQ(value_of(accepted.get(), one), one.usual) << one.name;
  }
}

TEST(ListenerSocketTest, FullBacklogIsAliveToo) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "web.sock");
  const auto alive = ListenerSocket::open(address, {.uid = {}, .gid = {}, .backlog = 0});
  const SocketAddress target = unix_address(address.name);
  std::vector<UniqueFd> waiting;
  for (;;) {
    UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (::connect(client.get(), target.get(), target.length) != 0) break;
    waiting.push_back(std::move(client));
    ASSERT_LT(waiting.size(), 100u);
  }
  EXPECT_EQ(refusal(address), "unix:" + address.name + " is in use");
}

TEST(ListenerSocketTest, AnythingElseIsNeverRemoved) {
  const TemporaryDirectory directory;
  const std::string path = directory / "file";
  std::ofstream(path) << "precious";
  EXPECT_EQ(refusal(unix_path(path)), "unix:" + path + " exists and is no socket");
  EXPECT_TRUE(S_ISREG(status_of(path).st_mode));

  const std::string link = directory / "link";
  ASSERT_EQ(::symlink(path.c_str(), link.c_str()), 0);
  EXPECT_EQ(refusal(unix_path(link)), "unix:" + link + " exists and is no socket");
  EXPECT_TRUE(S_ISLNK(status_of(link).st_mode));
}

TEST(ListenerSocketTest, MissingDirectoryIsNamed) {
  EXPECT_EQ(refusal(unix_path("/nonexistent/web.sock")),
            "unix:/nonexistent/web.sock: open /nonexistent: No such file or directory (ENOENT)");
}

TEST(ListenerSocketTest, UnlinkLeavesASuccessorsFileAlone) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "web.sock");
  auto first = ListenerSocket::open(address, {});
  // Renamed, not removed: otherwise its inode number might be given to the successor.
  ASSERT_EQ(::rename(address.name.c_str(), (directory / "old").c_str()), 0);
  const auto second = ListenerSocket::open(address, {});
  first.unlink();
  EXPECT_TRUE(probe_listener(unix_address(address.name)).alive);
}

TEST(ListenerSocketTest, UnlinkLeavesAnInheritedFileAlone) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "web.sock");
  const auto owner = ListenerSocket::open(address, {});
  auto inherited = ListenerSocket::inherit(UniqueFd(::dup(owner.descriptor())), address);
  inherited.unlink();
  EXPECT_TRUE(S_ISSOCK(status_of(address.name).st_mode));
}

TEST(ListenerSocketTest, UnlinkRemovesTheOwnFile) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "web.sock");
  auto socket = ListenerSocket::open(address, {});
  socket.unlink();
  EXPECT_NE(::access(address.name.c_str(), F_OK), 0);
}

TEST(ListenerSocketTest, ModeIsChangedWhileOpen) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "web.sock");
  auto socket = ListenerSocket::open(address, {});
  EXPECT_EQ(status_of(address.name).st_mode & 07777, 0660u);
  socket.apply({.uid = {}, .gid = {}, .mode = 0666, .backlog = 1});
  EXPECT_EQ(status_of(address.name).st_mode & 07777, 0666u);
  EXPECT_TRUE(probe_listener(unix_address(address.name)).alive);
}

// A reload applies mode and owner again, perhaps as root in a directory that others may write.
TEST(ListenerSocketTest, WhatTookThePlaceOfItsFileIsNotChanged) {
  const TemporaryDirectory directory;
  const std::string secret = directory / "secret";
  std::ofstream(secret) << "secret";
  ::chmod(secret.c_str(), 0600);
  const Address address = unix_path(directory / "web.sock");
  auto socket = ListenerSocket::open(address, {});
  ::unlink(address.name.c_str());
  ASSERT_EQ(::symlink(secret.c_str(), address.name.c_str()), 0);
  EXPECT_THROW(socket.apply({.uid = {}, .gid = {}, .mode = 0666, .backlog = 16}), ListenerError);
  EXPECT_EQ(status_of(secret).st_mode & 07777, 0600u);
  socket.unlink();
  EXPECT_TRUE(S_ISLNK(status_of(address.name).st_mode));
}

TEST(ListenerSocketTest, IsInPlaceUntilItsFileIsGoneOrReplaced) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "web.sock");
  const auto socket = ListenerSocket::open(address, {});
  EXPECT_TRUE(socket.in_place());
  ::unlink(address.name.c_str());
  EXPECT_FALSE(socket.in_place());
  const auto other = ListenerSocket::open(address, {});
  EXPECT_FALSE(socket.in_place());
  EXPECT_TRUE(other.in_place());
}

// The descriptor of a predecessor, whose file is gone, comes with nothing but its address.
TEST(ListenerSocketTest, ASocketThatIsTakenOverIsInPlaceOnlyIfTheFileIsItsOwn) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "web.sock");
  const auto former = ListenerSocket::open(address, {});
  const auto take = [&](const ListenerSocket& socket) {
    return ListenerSocket::take_over(UniqueFd(::dup(socket.descriptor())), address, true);
  };
  EXPECT_TRUE(take(former).in_place());
  ::unlink(address.name.c_str());
  EXPECT_FALSE(take(former).in_place());
  { ListenerSocket::open(address, {}); }
  ListenerSocket taken = take(former);
  EXPECT_FALSE(taken.in_place()) << "the file of a dead daemon";
  taken.unlink();
  EXPECT_EQ(::access(address.name.c_str(), F_OK), 0) << "which is not its own to remove";
}

TEST(ListenerSocketTest, SocketsWithoutAFileOfOursAreAlwaysInPlace) {
  const TemporaryDirectory directory;
  const Address address = unix_path(directory / "web.sock");
  const auto opened = ListenerSocket::open(address, {});
  const auto inherited = ListenerSocket::inherit(UniqueFd(::dup(opened.descriptor())),
                                                 {Address::Kind::systemd, "web", 0});
  ::unlink(address.name.c_str());
  EXPECT_TRUE(inherited.in_place());
  EXPECT_TRUE(ListenerSocket::open({Address::Kind::tcp, "127.0.0.1", 0}, {}).in_place());
}

TEST(ListenerSocketTest, AnAddressInUseNamesTheProcessAndPassesByItself) {
  const TemporaryDirectory directory;
  const auto tcp = ListenerSocket::open({Address::Kind::tcp, "127.0.0.1", 0}, {});
  const Address file = unix_path(directory / "web.sock");
  const auto open = ListenerSocket::open(file, {});
  for (const Address& address : {Address{Address::Kind::tcp, "127.0.0.1", tcp.port()}, file}) {
    try {
      ListenerSocket::open(address, {});
      FAIL() << format(address);
    } catch (const ListenerError& error) {
      EXPECT_EQ(error.what(), format(address) + in_use_by_us());
      EXPECT_EQ(error.error(), EADDRINUSE);
    }
  }
  try {
    ListenerSocket::open({Address::Kind::tcp, "192.0.2.1", 0}, {});
    FAIL() << "an address of no machine (RFC 5737)";
  } catch (const ListenerError& error) {
    EXPECT_EQ(error.error(), EADDRNOTAVAIL);
  }
}

TEST(ListenerSocketTest, AbstractNamesNeedNoFile) {
  const Address address{Address::Kind::unix_abstract, "viaduct-test-" + std::to_string(::getpid()),
                        0};
  const auto socket = ListenerSocket::open(address, {});
  EXPECT_TRUE(probe_listener(unix_address(address.name, true)).alive);
  EXPECT_EQ(refusal(address), "unix:@" + address.name + in_use_by_us());
}

TEST(ListenerSocketTest, TcpPortZeroIsChosenByTheKernel) {
  const auto socket = ListenerSocket::open({Address::Kind::tcp, "127.0.0.1", 0}, {});
  ASSERT_NE(socket.port(), 0);
  const Address taken{Address::Kind::tcp, "127.0.0.1", socket.port()};
  EXPECT_EQ(refusal(taken), "tcp:127.0.0.1:" + std::to_string(socket.port()) +
                                " is in use by pid " + std::to_string(::getpid()) + " (" +
                                process_name(::getpid()) + ")");
}

TEST(ListenerSocketTest, TheNameOfTheProcessThatHasTheAddressIsNotWrittenRaw) {
  const TemporaryDirectory directory;
  const auto tcp = ListenerSocket::open({Address::Kind::tcp, "127.0.0.1", 0}, {});
  const auto file = ListenerSocket::open(unix_path(directory / "web.sock"), {});
  const std::string before = process_name(::getpid());
  ::prctl(PR_SET_NAME, "a\x1b[2J\r\x7f\tz");
  const std::string refusals[] = {refusal({Address::Kind::tcp, "127.0.0.1", tcp.port()}),
                                  refusal(unix_path(directory / "web.sock"))};
  ::prctl(PR_SET_NAME, before.c_str());
  const std::string pid = std::to_string(::getpid());
  for (const std::string& text : refusals) {
    const std::string end = " is in use by pid " + pid + " (a\\x1b[2J\\r\\x7f\\tz)";
    EXPECT_TRUE(text.ends_with(end)) << text;
  }
}

TEST(ListenerSocketTest, TcpHostMayBeAName) {
  EXPECT_NE(ListenerSocket::open({Address::Kind::tcp, "localhost", 0}, {}).port(), 0);
  EXPECT_NE(refusal({Address::Kind::tcp, "host.invalid", 0}).find("tcp:host.invalid:0: "),
            std::string::npos);
}

TEST(ListenerSocketTest, InheritedDescriptorMustListen) {
  const Address address{Address::Kind::systemd, "web", 0};
  EXPECT_THROW(ListenerSocket::inherit(UniqueFd(::open("/dev/null", O_RDONLY)), address),
               ListenerError);
  UniqueFd idle(::socket(AF_UNIX, SOCK_STREAM, 0));
  EXPECT_THROW(ListenerSocket::inherit(std::move(idle), address), ListenerError);

  const TemporaryDirectory directory;
  const auto listening = ListenerSocket::open(unix_path(directory / "s"), {});
  const auto taken = ListenerSocket::inherit(UniqueFd(::dup(listening.descriptor())), address);
  EXPECT_EQ(::fcntl(taken.descriptor(), F_GETFD), FD_CLOEXEC);
}

}  // namespace
}  // namespace viaduct::daemon::master
