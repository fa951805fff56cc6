#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/bridge/thread.hpp"
#include "daemon/log/log.hpp"
#include "protocol/fastcgi/record.hpp"
#include "protocol/fastcgi/server_codec.hpp"

namespace viaduct::test {

/// One thread of the bridge with scripted front servers and a scripted worker around it, in this
/// process and on this thread: front codec, dispatcher, link codec and the way back. Time passes
/// when the script says so (scripted_clock.hpp), so that the same script gives the same exchange.
///
/// Aborts the process when the bridge breaks a rule of its own: what the worker is sent is no
/// FastCGI or names a variable that must not pass, what a front server is sent is not of its
/// protocol, a request outlives its time-outs, or something is left when everybody is gone.
class ScriptedBridge {
 public:
  ScriptedBridge();
  ~ScriptedBridge();
  ScriptedBridge(const ScriptedBridge&) = delete;
  ScriptedBridge& operator=(const ScriptedBridge&) = delete;

  /// Kinds of steps; `argument` chooses.
  enum class Step : std::uint8_t {
    connect,        ///< a front server: FastCGI, SCGI, uwsgi or HTTP
    send,           ///< `bytes` from a front server
    leave,          ///< a front server closes
    values,         ///< the worker answers the first question: bit 0 multiplexing, bit 1 a window
    worker_sends,   ///< `bytes` as they are
    respond,        ///< output for an active request; bit 7: and its end
    worker_closes,  ///< its latest connection
    wait,           ///< time passes, a second or less at a time; bit 7: all of it at once
    kinds,
  };
  void take(Step step, unsigned argument, std::string_view bytes);
  /// Everybody leaves; nothing may be left.
  void finish();

 private:
  struct FrontPeer {
    int socket;
    unsigned protocol;
    std::string received{};
  };
  struct WorkerPeer {
    WorkerPeer(int descriptor, const protocol::fastcgi::ServerOptions& options)
        : socket(descriptor), codec(options) {}
    int socket;
    protocol::fastcgi::ServerCodec codec;
    protocol::fastcgi::RecordReader sent;  // of what the worker says
    std::vector<protocol::RequestId> active;
    /// It has ended no request but those it had: otherwise its view of ids is not the bridge's.
    bool honest = true;
  };
  class Reports;

  void wait(std::chrono::milliseconds time, std::chrono::milliseconds step);
  void check_time_outs();
  void settle();
  bool serve_worker();
  bool read_worker(WorkerPeer& peer);
  bool read_fronts();
  static void write_worker(WorkerPeer& peer, std::string_view bytes);
  static void begin(WorkerPeer& peer, const protocol::Event& event);
  void close_front(std::size_t index);
  void close_worker(std::size_t index);
  static void check_front(const FrontPeer& front);

  daemon::config::BridgeSettings settings_;
  daemon::log::Log log_;
  std::unique_ptr<daemon::Scoreboard> scores_;
  daemon::bridge::ProcessUse use_;
  std::vector<std::unique_ptr<daemon::bridge::SharedApp>> apps_;
  std::unique_ptr<Reports> reports_;
  std::unique_ptr<daemon::bridge::Thread> thread_;
  std::shared_ptr<daemon::bridge::WorkerInfo> worker_;
  std::vector<FrontPeer> fronts_;
  std::vector<std::unique_ptr<WorkerPeer>> links_;
};

}  // namespace viaduct::test
