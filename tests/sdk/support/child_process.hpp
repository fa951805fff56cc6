#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/sdk/support/peer.hpp"

namespace viaduct::test {

/// A program that runs, its standard error collected; killed with the object.
class ChildProcess {
 public:
  /// `prepare` runs in the new process, before the program.
  explicit ChildProcess(
      const std::string& program, std::vector<std::string> arguments = {},
      const std::function<void()>& prepare = [] {}) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    arguments.insert(arguments.begin(), program);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDERR_FILENO);
      prepare();
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    errors_fd_ = ends[0];
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(errors_fd_);
  }
  void signal(int number) const { ::kill(pid_, number); }
  /// Whether it has a handler for that signal.
  [[nodiscard]] bool catches(int number) const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with("SigCgt:")) continue;
      return (std::stoull(line.substr(7), nullptr, 16) >> (number - 1) & 1) != 0;
    }
    return false;
  }
  /// Exit status, or minus the signal.
  [[nodiscard]] int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  /// What it wrote until it ended.
  [[nodiscard]] std::string errors() {
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(errors_fd_, buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  pid_t pid_ = -1;
  int errors_fd_ = -1;
};

/// An address that nobody listens on.
inline std::string unused_address() {
  static int count = 0;
  return "unix:@viaduct-child-" + std::to_string(::getpid()) + '-' + std::to_string(++count);
}

/// Connects as soon as the process listens.
inline std::unique_ptr<Peer> connect_soon(const std::string& address) {
  for (int i = 0; i < 2000; ++i) {
    try {
      return std::make_unique<Peer>(address);
    } catch (const std::runtime_error&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  return nullptr;
}

}  // namespace viaduct::test
