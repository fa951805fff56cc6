#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace viaduct::daemon::bridge::testing {

/// Longest wait for something that is expected: far beyond what a loaded machine under a sanitizer
/// needs.
inline constexpr std::chrono::seconds kPatience{60};
/// The process of the test is scheduled within that, where somebody waits only so long for it.
inline constexpr std::chrono::seconds kScheduled{2};

/// One descriptor of the test process, served when it is ready.
class Peer {
 public:
  virtual ~Peer() = default;
  [[nodiscard]] virtual int descriptor() const = 0;  ///< -1: none
  [[nodiscard]] virtual short wanted() const = 0;    ///< of poll()
  virtual void ready(short events) = 0;
};

/// Everything around the bridge under test, on one thread: front servers, workers, the master.
/// Peers enter on construction and leave on destruction; they may do so while it runs.
class Stage {
 public:
  void add(Peer& peer) { peers_.push_back(&peer); }
  void remove(Peer& peer);

  /// Serves the peers until `done()` says so; false when that takes longer than `bound`.
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds bound = kPatience);
  /// Serves the peers that are ready now, waiting for one at most a moment.
  void serve() { turn(std::chrono::milliseconds(1)); }

 private:
  void turn(std::chrono::milliseconds bound);

  std::vector<Peer*> peers_;
};

/// A non-blocking stream socket with unbounded output, which closes itself on error.
class Stream {
 public:
  explicit Stream(int descriptor) : descriptor_(descriptor) {}
  ~Stream() { close(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] short wanted() const;
  void write(std::string_view bytes);
  /// Writes what waits; returns whether the socket is still open.
  bool flush();
  /// What arrived, at most `most` bytes; empty when nothing did or the stream has ended.
  std::string read(std::size_t most = 64 * 1024);
  void close();

  bool reading = true;
  bool ended = false;   ///< the peer closed
  bool failed = false;  ///< reset, or written to after the peer had closed
  [[nodiscard]] std::size_t unsent() const { return output_.size() - written_; }

 private:
  int descriptor_;
  std::string output_;
  std::size_t written_ = 0;
};

/// A non-blocking connection to a Unix socket. Throws std::system_error.
int connect_to(const std::string& path);
/// A non-blocking listening Unix socket. Throws std::system_error.
int listen_at(const std::string& path);
/// On a free port of 127.0.0.1; `backlog` -1: the port is taken, but nobody listens.
int listen_on_loopback(std::uint16_t& port, int backlog = 128);

/// A directory that is removed with everything in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] std::string file(std::string_view name) const;

 private:
  std::string path_;
};

}  // namespace viaduct::daemon::bridge::testing
