#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/fastcgi/client_codec.hpp"

namespace viaduct::test {

/// The front server's end of one FastCGI connection to an app. Everything happens in the calling
/// thread; what comes in is only read by the members that wait.
class Peer {
 public:
  using RequestId = protocol::RequestId;
  using Variables = std::vector<std::pair<std::string_view, std::string_view>>;

  struct Reply {
    std::string output;  ///< STDOUT: head and body
    bool ended = false;
    std::uint32_t app_status = 0;
    protocol::fastcgi::ProtocolStatus protocol_status{};
    std::uint64_t credit = 0;  ///< returned for STDIN so far
    std::vector<std::string> traces;

    [[nodiscard]] std::string_view head() const;
    [[nodiscard]] std::string_view body() const;
    [[nodiscard]] int status() const;
  };

  /// Connects to `unix:@name` or `unix:/path`.
  explicit Peer(const std::string& address);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer();

  /// Agrees on flow control; afterwards output is only credited through grant(), unless
  /// `auto_credit` is on.
  protocol::fastcgi::Values agree(std::uint32_t window);
  bool auto_credit = true;

  /// Sends the head of a request.
  void begin(RequestId id, std::string_view method, std::string_view path,
             const Variables& more = {}, bool keep_connection = true);
  void begin_as(protocol::Role role, RequestId id, std::string_view method, std::string_view path,
                const Variables& more = {}, bool keep_connection = true);
  void input(RequestId id, std::string_view bytes);
  void input_end(RequestId id);
  /// Filter role: FCGI_DATA.
  void data(RequestId id, std::string_view bytes);
  void data_end(RequestId id);
  void abort(RequestId id);
  void grant(RequestId id, std::uint32_t bytes);
  void ask_values();
  /// What the handler of that request is doing; answered in reply().traces.
  void ask_trace(RequestId id);
  /// As a bridge that drains does.
  void announce_draining();
  void send_raw(std::string_view bytes);
  /// Sends what was written so far; the members that wait do so as well.
  void flush();
  void close();

  /// Reads until `done`; false when that takes longer than `patience` or the app closed before.
  bool wait(const std::function<bool()>& done,
            std::chrono::milliseconds patience = std::chrono::seconds(20));
  bool wait_end(RequestId id);
  /// Reads for as long as bytes keep coming, `calm` in between at most.
  void drain(std::chrono::milliseconds calm);

  /// A request without a body, answered.
  Reply get(std::string_view path, const Variables& more = {});
  Reply request(std::string_view method, std::string_view path, std::string_view body);

  Reply& reply(RequestId id) { return replies_[id]; }
  [[nodiscard]] std::uint32_t values_received() const { return values_received_; }
  [[nodiscard]] bool closed() const { return closed_; }
  /// Ids in the order in which their responses ended.
  [[nodiscard]] const std::vector<RequestId>& ended() const { return ended_; }

 private:
  bool receive(std::chrono::milliseconds patience);
  void handle(const protocol::fastcgi::ClientEvent& event);

  int fd_ = -1;
  bool closed_ = false;
  bool window_agreed_ = false;
  std::uint32_t values_received_ = 0;
  protocol::fastcgi::Values values_;
  protocol::fastcgi::ClientCodec codec_;
  std::map<RequestId, Reply> replies_;
  std::vector<RequestId> ended_;
};

}  // namespace viaduct::test
