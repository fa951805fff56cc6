#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/fastcgi/flow_control.hpp"
#include "protocol/fastcgi/record.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "tests/daemon/bridge/stage.hpp"

namespace viaduct::daemon::bridge::testing {

struct WorkerOptions {
  bool multiplex = true;                            ///< false: a plain worker
  std::uint32_t max_reqs = 64;                      ///< FCGI_MAX_REQS
  std::optional<std::uint32_t> window = 64 * 1024;  ///< VIADUCT_WINDOW; plain workers have none
  std::optional<std::uint32_t> prefetch{};          ///< VIADUCT_PREFETCH
  std::string_view model{};                         ///< VIADUCT_MODEL
  bool return_credit = true;                        ///< for body bytes as soon as they arrive
  bool tcp = false;                                 ///< listens on a port of 127.0.0.1
  bool canary = false;                              ///< announced as one
};

inline WorkerOptions plain(std::uint32_t max_reqs = 1) {
  return {.multiplex = false, .max_reqs = max_reqs, .window = std::nullopt};
}

class WorkerLink;

/// One request as the worker sees it. The test answers it; what `write` is given goes out as far
/// as the bridge's credit allows.
class WorkerRequest {
 public:
  WorkerRequest(WorkerLink& link, protocol::RequestId id, protocol::Pairs params);

  void write(std::string_view bytes);
  void errors(std::string_view bytes);
  void end(std::uint32_t app_status = 0);
  /// A complete response with that body.
  void respond(std::string_view body, int status = 200);
  void overloaded();
  /// Answers what `traces` counts.
  void trace(std::string_view text);
  [[nodiscard]] std::string param(std::string_view name) const;

  WorkerLink* link;  ///< null: gone
  protocol::RequestId id;
  protocol::Pairs params;
  bool keep = false;  ///< FCGI_KEEP_CONN was set
  std::string body;
  bool body_ended = false;
  bool aborted = false;
  unsigned traces = 0;        ///< times that the bridge asked what it is doing
  bool traced_first = false;  ///< before it was aborted
  protocol::Role role = protocol::Role::responder;
  std::string data;  ///< FCGI_DATA of the Filter role
  bool data_ended = false;
  protocol::fastcgi::SendCredit to_bridge;
  protocol::fastcgi::ReceiveCredit from_bridge;
  std::string pending;  ///< written, for want of credit not sent
  std::optional<std::uint32_t> end_status;
};

class FakeWorker;

/// One connection of the bridge to the worker.
class WorkerLink final : public Peer {
 public:
  WorkerLink(FakeWorker& worker, int descriptor);
  ~WorkerLink() override;

  /// Bytes past every rule.
  void raw(std::string_view bytes);
  void read(bool on) {
    stream_.reading = on;
    leaves_bodies_ = false;
  }
  /// From now on it stops reading as soon as it has the variables of a request, until read() is
  /// called.
  void leave_bodies() { leaves_bodies_ = true; }
  void close();
  [[nodiscard]] bool closed() const { return stream_.descriptor() < 0; }
  /// Whether the bridge has received all that was written.
  [[nodiscard]] bool taken() const;
  /// The bridge closed it.
  [[nodiscard]] bool ended() const { return stream_.ended; }
  [[nodiscard]] protocol::fastcgi::ServerCodec& codec() { return codec_; }
  [[nodiscard]] std::uint32_t bridge_window() const { return bridge_window_; }
  /// Body bytes or credit beyond what the windows allow.
  [[nodiscard]] bool cheated() const { return cheated_; }
  /// ABORT_REQUEST records seen.
  unsigned aborts = 0;
  unsigned requests = 0;

  void pump(WorkerRequest& request);
  /// It has ended.
  void forget(WorkerRequest& request);
  void send();

  [[nodiscard]] int descriptor() const override { return stream_.descriptor(); }
  [[nodiscard]] short wanted() const override { return stream_.wanted(); }
  void ready(short events) override;

 private:
  void take(const protocol::Event& event);
  void scan(protocol::Bytes bytes);
  WorkerRequest* find(protocol::RequestId id);

  FakeWorker& worker_;
  Stream stream_;
  protocol::fastcgi::ServerCodec codec_;
  protocol::fastcgi::RecordReader scanner_;
  protocol::fastcgi::FixedBody begin_;
  bool keep_ = false;  // of the BEGIN seen last
  bool leaves_bodies_ = false;
  std::uint32_t bridge_window_ = 0;
  bool cheated_ = false;
  std::vector<std::shared_ptr<WorkerRequest>> active_;
};

/// A worker on a socket of its own: SDK-like, or plain. It does nothing by itself but answer
/// FCGI_GET_VALUES and return credit.
class FakeWorker final : public Peer {
 public:
  FakeWorker(Stage& stage, std::string path, const WorkerOptions& options);
  ~FakeWorker() override;

  /// The next request that has not been asked for; null when none comes.
  std::shared_ptr<WorkerRequest> next_request();
  [[nodiscard]] bool has_request() const { return taken_ < requests.size(); }
  /// It ends as a process does: every connection, and the socket.
  void die();
  /// Whether connections are accepted; a plain worker at work does not.
  void accept(bool on) { accepting_ = on; }
  /// The connections still open.
  [[nodiscard]] std::vector<WorkerLink*> links() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }  ///< with WorkerOptions::tcp
  [[nodiscard]] const WorkerOptions& options() const { return options_; }
  [[nodiscard]] Stage& stage() { return stage_; }

  std::vector<std::shared_ptr<WorkerRequest>> requests;  ///< all, in order of arrival
  std::vector<std::unique_ptr<WorkerLink>> all_links;    ///< closed ones, too
  std::uint64_t serial = 0;

  [[nodiscard]] int descriptor() const override { return listener_; }
  [[nodiscard]] short wanted() const override;
  void ready(short events) override;

 private:
  Stage& stage_;
  std::string path_;
  WorkerOptions options_;
  std::uint16_t port_ = 0;
  int listener_;
  bool accepting_ = true;
  std::size_t taken_ = 0;
};

}  // namespace viaduct::daemon::bridge::testing
