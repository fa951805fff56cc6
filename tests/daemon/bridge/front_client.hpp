#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "protocol/fastcgi/client_codec.hpp"
#include "protocol/pairs.hpp"
#include "tests/daemon/bridge/stage.hpp"

namespace viaduct::daemon::bridge::testing {

/// What came back for one request.
struct Answer {
  std::string output;  ///< STDOUT: CGI response head and body
  std::string errors;  ///< STDERR
  bool ended = false;
  std::uint32_t app_status = 0;
  protocol::fastcgi::ProtocolStatus protocol_status{};

  [[nodiscard]] int status() const;  ///< of the `Status:` field; 0: there is none
  [[nodiscard]] std::string field(std::string_view name) const;
  [[nodiscard]] std::string body() const;
};

using Variables = std::initializer_list<protocol::Pairs::Item>;

/// Variables of a request as nginx sends them, `more` set on top.
protocol::Pairs variables(std::string_view method, std::string_view path, Variables more = {});

/// A front server's FastCGI connection.
class FrontClient final : public Peer {
 public:
  FrontClient(Stage& stage, const std::string& path);
  ~FrontClient() override;

  /// BEGIN and PARAMS; the body is to follow.
  void begin(protocol::RequestId id, const protocol::Pairs& params, bool keep = false,
             protocol::Role role = protocol::Role::responder);
  void body(protocol::RequestId id, std::string_view bytes);
  void body_end(protocol::RequestId id);
  /// FCGI_DATA of the Filter role, to follow the end of the body.
  void data(protocol::RequestId id, std::string_view bytes);
  void data_end(protocol::RequestId id);
  void abort(protocol::RequestId id);
  /// A whole request in one write, as front servers send short ones.
  void request(protocol::RequestId id, const protocol::Pairs& params, std::string_view body,
               bool keep = false);
  /// The same, without body.
  void get(protocol::RequestId id, std::string_view path, bool keep = false);
  void post(protocol::RequestId id, std::string_view path, std::string_view body,
            bool keep = false);
  void raw(std::string_view bytes) { stream_.write(bytes); }

  Answer& answer(protocol::RequestId id) { return answers_[id]; }
  /// Serves the stage until the request has ended or the connection has; whether the former.
  bool wait(protocol::RequestId id);
  /// Until the bridge has closed the connection.
  bool wait_closed();

  [[nodiscard]] bool closed() const { return stream_.ended; }
  /// The connection was reset.
  [[nodiscard]] bool failed() const { return stream_.failed; }
  /// The bridge broke the framing.
  [[nodiscard]] bool broken() const { return codec_.error() != protocol::Errc::ok; }
  [[nodiscard]] std::size_t unsent() const { return stream_.unsent(); }
  void close() { stream_.close(); }
  void read(bool on) { stream_.reading = on; }

  [[nodiscard]] int descriptor() const override { return stream_.descriptor(); }
  [[nodiscard]] short wanted() const override { return stream_.wanted(); }
  void ready(short events) override;

 private:
  void send();
  void take(const protocol::fastcgi::ClientEvent& event);

  Stage& stage_;
  Stream stream_;
  protocol::fastcgi::ClientCodec codec_;
  std::map<protocol::RequestId, Answer> answers_;
};

/// A front server's SCGI connection: one request.
class ScgiClient final : public Peer {
 public:
  ScgiClient(Stage& stage, const std::string& path);
  ~ScgiClient() override;

  /// The head, announcing `length` body bytes.
  void head(const protocol::Pairs& params, std::uint64_t length);
  void raw(std::string_view bytes) { stream_.write(bytes); }
  bool wait_closed();
  [[nodiscard]] bool failed() const { return stream_.failed; }
  [[nodiscard]] const Answer& answer() const { return answer_; }

  [[nodiscard]] int descriptor() const override { return stream_.descriptor(); }
  [[nodiscard]] short wanted() const override { return stream_.wanted(); }
  void ready(short events) override;

 private:
  Stage& stage_;
  Stream stream_;
  Answer answer_;
};

}  // namespace viaduct::daemon::bridge::testing
