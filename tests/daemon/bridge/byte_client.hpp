#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/daemon/bridge/stage.hpp"

namespace viaduct::daemon::bridge::testing {

/// Sends and receives bytes as they are: a client of HTTP or uwsgi, or what a ByteServer accepted.
class ByteClient final : public Peer {
 public:
  ByteClient(Stage& stage, const std::string& path);
  ByteClient(Stage& stage, int descriptor);
  ~ByteClient() override;

  void raw(std::string_view bytes) { stream_.write(bytes); }
  /// Serves the stage until what was received contains `text`; false when that does not happen.
  bool wait_for(std::string_view text);
  /// Until the bridge has closed the connection.
  bool wait_closed();
  void close() { stream_.close(); }
  void read(bool on) { stream_.reading = on; }

  [[nodiscard]] const std::string& received() const { return received_; }
  /// How often `text` was received.
  [[nodiscard]] std::size_t count(std::string_view text) const;
  [[nodiscard]] bool closed() const { return stream_.ended; }
  [[nodiscard]] std::size_t unsent() const { return stream_.unsent(); }
  [[nodiscard]] bool failed() const { return stream_.failed; }

  [[nodiscard]] int descriptor() const override { return stream_.descriptor(); }
  [[nodiscard]] short wanted() const override { return stream_.wanted(); }
  void ready(short events) override;

 private:
  Stage& stage_;
  Stream stream_;
  std::string received_;
};

/// A server of such connections on a Unix socket.
class ByteServer final : public Peer {
 public:
  ByteServer(Stage& stage, std::string path);
  ~ByteServer() override;

  /// The next connection that has not been asked for; null when none comes.
  ByteClient* next();
  [[nodiscard]] bool waiting() const { return taken_ < connections_.size(); }
  [[nodiscard]] std::size_t accepted() const { return connections_.size(); }
  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] int descriptor() const override { return listener_; }
  [[nodiscard]] short wanted() const override;
  void ready(short events) override;

 private:
  Stage& stage_;
  std::string path_;
  int listener_;
  std::vector<std::unique_ptr<ByteClient>> connections_;
  std::size_t taken_ = 0;
};

}  // namespace viaduct::daemon::bridge::testing
