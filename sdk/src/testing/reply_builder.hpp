#pragma once

#include <cstddef>
#include <optional>

#include <viaduct/testing.hpp>

#include "protocol/message.hpp"
#include "protocol/output.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {

/// A Reply as it arrives: head() once, body() any number of times, end() when it is complete.
class ReplyBuilder {
 public:
  /// `leave_after`: body bytes after which the client leaves.
  explicit ReplyBuilder(std::optional<std::size_t> leave_after) : leave_after_(leave_after) {}

  void head(const protocol::ResponseHead& head);
  void body(protocol::Bytes bytes);
  void end() { ended_ = true; }

  /// Whether the client wants nothing more.
  [[nodiscard]] bool left() const {
    return leave_after_ && headed_ && reply_.body.size() >= *leave_after_;
  }
  [[nodiscard]] std::size_t body_size() const { return reply_.body.size(); }
  /// What came, once nothing more does.
  [[nodiscard]] Reply take();

 private:
  std::optional<std::size_t> leave_after_;
  Reply reply_;
  bool headed_ = false;
  bool ended_ = false;
};

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
