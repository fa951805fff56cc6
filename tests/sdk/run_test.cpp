// run() as whole processes: the hello example and its command line.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <viaduct/app.hpp>

#include "sdk/src/runtime/sockets.hpp"
#include "tests/sdk/support/child_process.hpp"
#include "tests/sdk/support/peer.hpp"
#include "tests/sdk/support/temporary_directory.hpp"

namespace viaduct::test {
namespace {

using ::testing::HasSubstr;

// The hello example.
class Child : public ChildProcess {
 public:
  explicit Child(
      std::vector<std::string> arguments, const std::function<void()>& prepare = [] {})
      : ChildProcess(HELLO_PROGRAM, std::move(arguments), prepare) {}
};

TEST(RunTest, UsageErrorsAre64AndNameWhatIsWrong) {
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } cases[] = {
      {{"--nonsense"}, "--nonsense"},
      {{"--fastcgi", "nowhere"}, "\"nowhere\": expected unix:/path, unix:@name or tcp:HOST:PORT"},
      {{"--fastcgi", "tcp:localhost"}, "tcp:localhost: expected tcp:HOST:PORT"},
      {{"--fastcgi", "unix:"}, "unix:: no path"},
      {{"--fastcgi", "tcp:h:99999"}, "tcp:h:99999: the port is a number from 0 to 65535"},
      {{"--scgi", "unix:/nowhere/x"}, "unix:/nowhere/x: No such file or directory"},
      {{"--fastcgi", "unix:@x", "--scgi", "unix:@y"}, "--scgi"},
      {{"--uwsgi", "unix:@x", "--scgi", "unix:@y"}, "--uwsgi"},
      {{"--limit", "0"}, "--limit"},
      {{"--model", "coroutines"}, "coroutines"},
      {{"--send-file", "sendfile"}, "--send-file"},
      {{"--http", "unix:@x", "--trusted", "127.0.0.1"}, "--trusted: --forwarded has to say"},
      {{"--http", "unix:@x", "--forwarded", "x-real-ip"}, "--forwarded"},
      {{"--http", "unix:@x", "--forwarded-proto"}, "--forwarded-proto: only with"},
      {{"--request-id-from", "REQUEST_ID,X Id"}, "\"X Id\" is no variable and no header field"},
  };
  for (const auto& c : cases) {
    Child child(c.arguments);
    EXPECT_THAT(child.errors(), HasSubstr(c.message));
    EXPECT_EQ(child.wait(), 64) << c.message;
  }
}

TEST(RunTest, WithoutASocketItSaysWhatToDo) {
  Child child({}, [] {
    ::unsetenv("LISTEN_FDS");
    ::close(STDIN_FILENO);
    ::open("/dev/null", O_RDONLY);
  });
  EXPECT_THAT(child.errors(), HasSubstr("give --fastcgi, --scgi, --uwsgi or --http ADDR"));
  EXPECT_EQ(child.wait(), 64);
}

TEST(RunTest, HelpAndVersionAre0) {
  EXPECT_EQ(Child({"--help"}).wait(), 0);
  EXPECT_EQ(Child({"--version"}).wait(), 0);
}

// In this process: what ends before anything is served.
int run_here(App& app, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "app");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return run(static_cast<int>(arguments.size()), argv.data(), app);
}

TEST(RunTest, OptionsWhoseNameIsTakenEndIt) {
  for (const char* const name : {"fastcgi",
                                 "scgi",
                                 "uwsgi",
                                 "http",
                                 "model",
                                 "limit",
                                 "stop-ms",
                                 "fiber-stack",
                                 "fiber-watchdog-ms",
                                 "request-id-from",
                                 "send-file",
                                 "trusted",
                                 "forwarded",
                                 "forwarded-host",
                                 "forwarded-proto",
                                 "forwarded-port",
                                 "help",
                                 "version",
                                 "database",
                                 "viaduct-model",
                                 "Viaduct-Other"}) {
    App app;
    std::string value;
    std::string database;
    app.option("database", "where notes are kept", database).option(name, "another one", value);
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(run_here(app, {}), 70);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                HasSubstr("option \"" + std::string(name) + "\": "));
  }
}

TEST(RunTest, OptionsOfTheAppGetTheirValue) {
  App app;
  std::string https = "unset";
  app.option("https", "a name that is not run()'s", https);
  app.on_startup([] { throw std::runtime_error("started"); });
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_here(app, {"--https", "x", "--fastcgi", "tcp:127.0.0.1:0"}), 70);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("on_startup: started"));
  EXPECT_EQ(https, "x");
}

TEST(RunTest, ConflictingRoutesEndItAlsoWhenAddedByOnStartup) {
  App app;
  const auto handler = [](Request&, Response&) {};
  app.get("/notes/{id}", handler);
  app.on_startup([&] { app.get("/notes/{name}", handler); });
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_here(app, {"--fastcgi", "tcp:127.0.0.1:0"}), 70);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("/notes/{name}"));
}

struct Thrown {
  void (*raise)();
  const char* words;
};
const Thrown kThrown[] = {
    {[] { throw std::runtime_error("boom"); }, "boom (std::runtime_error)"},
    {[] { throw 42; }, "an exception of type int"},
    {[] { throw "words"; }, "an exception of type char const*"},
};

TEST(RunTest, WhatHooksThrowEndsIt) {
  for (const Thrown& thrown : kThrown) {
    for (const char* const model : {"threads", "fibers"}) {
      for (const bool start : {true, false}) {
        App app;
        if (start) app.on_startup(thrown.raise);
        if (!start) app.on_thread_start(thrown.raise);
        ::testing::internal::CaptureStderr();
        EXPECT_EQ(run_here(app, {"--fastcgi", "tcp:127.0.0.1:0", "--model", model}), 70);
        const std::string name = start ? "on_startup: " : "on_thread_start: ";
        EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr(name + thrown.words));
      }
    }
  }
}

// One of many threads: the others have served nothing either.
TEST(RunTest, OneThreadThatCannotStartEndsIt) {
  App app;
  std::atomic<int> count = 0;
  app.on_thread_start([&] {
    if (++count == 5) throw 42;
  });
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_here(app, {"--fastcgi", "tcp:127.0.0.1:0", "--limit", "8"}), 70);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("on_thread_start: an exception of type int"));
}

TEST(RunTest, WhatOnShutdownThrowsStopsNoOther) {
  for (const Thrown& thrown : kThrown) {
    App app;
    std::string called;
    app.on_shutdown([&] { called += "first"; });
    app.on_shutdown(thrown.raise);
    app.on_shutdown([&] { called += "last "; });
    app.background([](const std::stop_token&) { ::kill(::getpid(), SIGTERM); });
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(run_here(app, {"--fastcgi", "tcp:127.0.0.1:0"}), 70);
    EXPECT_EQ(called, "last first");
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                HasSubstr(std::string("on_shutdown: ") + thrown.words));
  }
}

TEST(RunTest, WhatABackgroundTaskThrowsEndsItAlone) {
  for (const Thrown& thrown : kThrown) {
    App app;
    app.background([&](const std::stop_token&) { thrown.raise(); });
    app.background([](const std::stop_token&) { ::kill(::getpid(), SIGTERM); });
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(run_here(app, {"--fastcgi", "tcp:127.0.0.1:0"}), 0);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                HasSubstr(std::string("background task: ") + thrown.words));
  }
}

TEST(RunTest, ServesAnAddressUnderBothModelsAndDrainsOnSigterm) {
  for (const char* model : {"threads", "fibers"}) {
    const std::string address = unused_address();
    Child child({"--fastcgi", address, "--model", model});
    const auto peer = connect_soon(address);
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->get("/").body(), "Hello, world\n");
    child.signal(SIGTERM);
    EXPECT_TRUE(peer->wait([&] { return peer->closed(); }));
    EXPECT_EQ(child.wait(), 0);
  }
}

TEST(RunTest, ServesAListeningSocketOnDescriptor0) {
  const std::string address = unused_address();
  const int fd = detail::listen_on(address).fd;
  Child child({}, [fd] {
    ::dup2(fd, STDIN_FILENO);
    ::setenv("VIADUCT_MODEL", "fibers", 1);
    ::setenv("VIADUCT_LIMIT", "77", 1);
  });
  ::close(fd);
  const auto peer = connect_soon(address);
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->agree(256 * 1024).max_reqs, 77U);
  EXPECT_EQ(peer->get("/").body(), "Hello, world\n");
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
}

TEST(RunTest, ServesSocketsOfListenFds) {
  const std::string address = unused_address();
  const int fd = detail::listen_on(address).fd;
  Child child({}, [fd] {
    ::close(STDIN_FILENO);
    ::open("/dev/null", O_RDONLY);
    ::dup2(fd, 3);
    ::fcntl(3, F_SETFD, 0);
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  });
  ::close(fd);
  const auto peer = connect_soon(address);
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->get("/").body(), "Hello, world\n");
  child.signal(SIGINT);
  EXPECT_EQ(child.wait(), 0);
}

TEST(RunTest, ACgiProgramSendsHeadsOfAnySize) {
  for (const int bytes : {1000, 256 * 1000, 300 * 1000, 2000 * 1000}) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const std::string path = '/' + std::to_string(bytes) + "/500000";
    ChildProcess child(LARGE_HEAD_PROGRAM, {}, [&] {
      ::setenv("GATEWAY_INTERFACE", "CGI/1.1", 1);
      ::setenv("REQUEST_METHOD", "GET", 1);
      ::setenv("REQUEST_URI", path.c_str(), 1);
      ::setenv("PATH_INFO", path.c_str(), 1);
      ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
      ::dup2(ends[1], STDOUT_FILENO);
    });
    ::close(ends[1]);
    std::string output;
    char buffer[65536];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
      output.append(buffer, static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    EXPECT_EQ(child.wait(), 0);
    EXPECT_TRUE(output.starts_with("Status: 200 OK\r\n"));
    const std::size_t head = output.find("\r\n\r\n");
    ASSERT_NE(head, std::string::npos);
    EXPECT_GT(head, static_cast<std::size_t>(bytes));
    EXPECT_EQ(output.size() - head - 4, 500000U);
  }
}

TEST(RunTest, PeersThatTheServerDoesNotNameAreTurnedAway) {
  const std::string address = unused_address();
  const int fd = detail::listen_on(address).fd;
  Child child({}, [fd] {
    ::dup2(fd, STDIN_FILENO);
    ::setenv("FCGI_WEB_SERVER_ADDRS", "10.0.0.1,10.0.0.2", 1);
  });
  ::close(fd);
  const auto peer = connect_soon(address);
  ASSERT_TRUE(peer);
  EXPECT_TRUE(peer->wait([&] { return peer->closed(); }));
}

TEST(RunTest, ReplacesAStaleSocketFileAndRefusesALiveOne) {
  char directory[] = "/tmp/viaduct-run-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/app.sock";
  ::close(detail::listen_on("unix:" + path).fd);
  ASSERT_TRUE(std::filesystem::exists(path));
  const int fd = detail::listen_on("unix:" + path).fd;
  Child second({"--fastcgi", "unix:" + path});
  EXPECT_THAT(second.errors(), HasSubstr("unix:" + path + ": Address already in use"));
  EXPECT_EQ(second.wait(), 64);
  ::close(fd);
  std::filesystem::remove_all(directory);
}

// A program that starts for as long as start() is not called, on a socket file of its own.
class SlowStart {
 public:
  SlowStart() {
    if (::pipe2(input_, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    child = std::make_unique<ChildProcess>(
        SLOW_START_PROGRAM, std::vector<std::string>{"--fastcgi", "unix:" + socket.string()},
        [this] { ::dup2(input_[0], STDIN_FILENO); });
    wait_for([this] { return std::filesystem::exists(socket); });
  }
  SlowStart(const SlowStart&) = delete;
  SlowStart& operator=(const SlowStart&) = delete;
  ~SlowStart() {
    start();
    ::close(input_[0]);
  }
  void start() {
    if (input_[1] >= 0) ::close(std::exchange(input_[1], -1));
  }
  static void wait_for(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("waited in vain");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  TemporaryDirectory directory;
  const std::filesystem::path socket = directory.path() / "app.sock";
  std::unique_ptr<ChildProcess> child;

 private:
  int input_[2] = {-1, -1};
};

TEST(RunTest, SigtermBetweenListeningAndServingIsRemembered) {
  for (const int number : {SIGTERM, SIGINT}) {
    SlowStart slow;
    const auto peer = connect_soon("unix:" + slow.socket.string());
    ASSERT_TRUE(peer);
    peer->begin(1, "GET", "/");
    peer->input_end(1);
    peer->flush();
    slow.child->signal(number);
    slow.start();
    EXPECT_TRUE(peer->wait_end(1));
    EXPECT_EQ(peer->reply(1).body(), "started\n");
    peer->close();
    EXPECT_EQ(slow.child->wait(), 0);
    EXPECT_FALSE(std::filesystem::exists(slow.socket));
  }
}

TEST(RunTest, SecondSigtermEndsAStartThatHangs) {
  SlowStart slow;
  slow.child->signal(SIGTERM);
  SlowStart::wait_for([&] { return !slow.child->catches(SIGTERM); });
  slow.child->signal(SIGTERM);
  EXPECT_EQ(slow.child->wait(), -SIGTERM);
}

TEST(RunTest, SecondSigtermEndsItAtOnce) {
  const std::string address = unused_address();
  Child child({"--fastcgi", address});
  const auto peer = connect_soon(address);
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->get("/").body(), "Hello, world\n");
  // Part of a record keeps the connection from being idle.
  peer->send_raw(std::string("\x01\x01\x00", 3));
  peer->flush();
  child.signal(SIGTERM);
  // New connections are refused once the first one has taken effect.
  for (bool refused = false; !refused;) {
    try {
      const Peer probe(address);
    } catch (const std::runtime_error&) {
      refused = true;
    }
  }
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), -SIGTERM);
}

}  // namespace
}  // namespace viaduct::test
