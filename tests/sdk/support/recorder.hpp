#pragma once

#include <string>
#include <string_view>

#include "sdk/src/channel.hpp"

namespace viaduct::test {

/// Writes down what a response makes of itself: "head(200 ...)", "body(n)", "end" ...
class Recorder final : public detail::ResponseSink {
 public:
  void whole(const protocol::ResponseHead& response_head, protocol::Bytes bytes) override {
    head(response_head);
    if (!bytes.empty()) body(bytes);
    end();
  }
  void head(const protocol::ResponseHead& response_head) override {
    log += "head(" + std::to_string(response_head.status);
    for (const auto [name, value] : response_head.fields) {
      log += "; " + std::string(name) + ": " + std::string(value);
    }
    log += ")";
  }
  void body(protocol::Bytes bytes) override {
    log += " body(" + std::to_string(bytes.size()) + ")";
    sent += protocol::as_text(bytes);
  }
  void flush() override { log += " flush"; }
  void end() override { log += " end"; }
  void fail() override { log += " fail"; }

  std::string log;
  std::string sent;
};

}  // namespace viaduct::test
