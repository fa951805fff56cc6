#pragma once

#include <string>
#include <string_view>

#include "tests/daemon/bridge/stage.hpp"

namespace viaduct::daemon::bridge::testing {

/// A client that sends and receives bytes as they are: of HTTP and of uwsgi.
class ByteClient final : public Peer {
 public:
  ByteClient(Stage& stage, const std::string& path);
  ~ByteClient() override;

  void raw(std::string_view bytes) { stream_.write(bytes); }
  /// Serves the stage until what was received contains `text`; false when that does not happen.
  bool wait_for(std::string_view text);
  /// Until the bridge has closed the connection.
  bool wait_closed();
  void close() { stream_.close(); }

  [[nodiscard]] const std::string& received() const { return received_; }
  /// How often `text` was received.
  [[nodiscard]] std::size_t count(std::string_view text) const;
  [[nodiscard]] bool closed() const { return stream_.ended; }
  [[nodiscard]] bool failed() const { return stream_.failed; }

  [[nodiscard]] int descriptor() const override { return stream_.descriptor(); }
  [[nodiscard]] short wanted() const override { return stream_.wanted(); }
  void ready(short events) override;

 private:
  Stage& stage_;
  Stream stream_;
  std::string received_;
};

}  // namespace viaduct::daemon::bridge::testing
