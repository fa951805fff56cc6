#include "sdk/src/testing/direct_call.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <viaduct/errors.hpp>

#include "sdk/src/direct.hpp"
#include "sdk/src/testing/cgi_variables.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

// The body of a request, a piece at each read.
class PiecewiseBody final : public detail::BodySource {
 public:
  PiecewiseBody(const std::vector<std::string>& pieces, std::optional<std::uint64_t> length)
      : pieces_(pieces), length_(length) {}

  [[nodiscard]] std::optional<std::uint64_t> length() const override { return length_; }

  std::size_t read(std::span<std::byte> into) override {
    while (piece_ < pieces_.size() && at_ == pieces_[piece_].size()) {
      ++piece_;
      at_ = 0;
    }
    std::size_t count = into.size();
    if (length_)
      count = static_cast<std::size_t>(std::min<std::uint64_t>(count, *length_ - taken_));
    if (count == 0) return 0;
    if (piece_ == pieces_.size()) {
      if (length_) throw client_gone("the client left");
      return 0;
    }
    count = std::min(count, pieces_[piece_].size() - at_);
    std::memcpy(into.data(), pieces_[piece_].data() + at_, count);
    at_ += count;
    taken_ += count;
    return count;
  }

 private:
  const std::vector<std::string>& pieces_;
  const std::optional<std::uint64_t> length_;
  std::size_t piece_ = 0;
  std::size_t at_ = 0;       // of that piece
  std::uint64_t taken_ = 0;  // of all
};

// The client's end: takes the response, and leaves when it has had enough.
class ClientEnd final : public detail::RequestControl, public detail::ResponseSink {
 public:
  explicit ClientEnd(ReplyBuilder& reply) : reply_(reply) {}

  [[nodiscard]] std::stop_token stop() override { return stop_.get_token(); }
  [[nodiscard]] bool draining() const override { return false; }
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const override {
    return std::chrono::steady_clock::time_point::max();
  }

  void whole(const protocol::ResponseHead& response_head, protocol::Bytes bytes) override {
    reply_.head(response_head);
    reply_.body(bytes);
    reply_.end();
  }
  void head(const protocol::ResponseHead& response_head) override {
    reply_.head(response_head);
    leave_if_done();
  }
  void body(protocol::Bytes bytes) override {
    check_wanted();
    reply_.body(bytes);
    leave_if_done();
  }
  void flush() override { check_wanted(); }
  void end() override { reply_.end(); }
  void fail() override {}

 private:
  void leave_if_done() {
    if (reply_.left()) stop_.request_stop();
  }
  void check_wanted() const {
    if (reply_.left()) throw client_gone("the client left");
  }

  ReplyBuilder& reply_;
  std::stop_source stop_;
};

std::optional<std::uint64_t> length_of(const CgiVariables& variables) {
  for (const auto& [name, value] : variables) {
    std::uint64_t length = 0;
    const char* const end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, length);
    if (name == "CONTENT_LENGTH" && parsed.ec == std::errc() && parsed.ptr == end) return length;
  }
  return std::nullopt;
}

}  // namespace

void call_directly(const App& app, const Outgoing& request, ReplyBuilder& reply) {
  const CgiVariables variables = cgi_variables(request, false);
  PiecewiseBody body(request.pieces, length_of(variables));
  ClientEnd end(reply);
  detail::serve_directly(app, variables, body, end, end);
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
