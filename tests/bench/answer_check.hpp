#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace viaduct::bench {

/// Decides whether what an application wrote to FCGI_STDOUT is the answer that was expected.
///
/// The first right answer is parsed; those equal to it byte by byte need one comparison.
class AnswerCheck {
 public:
  /// `status` as in HTTP; an answer without a Status field has 200.
  AnswerCheck(int status, std::string body) : status_(status), body_(std::move(body)) {}

  /// Whether `output`, a CGI response (RFC 3875 section 6) from its head to the end of its body,
  /// has exactly the expected status and body.
  [[nodiscard]] bool right(std::string_view output) {
    if (!seen_right_.empty() && output == seen_right_) return true;
    if (!parsed_right(output)) return false;
    seen_right_ = output;
    return true;
  }

  /// Bytes of output beyond which an answer cannot be right: the body plus a generous head.
  [[nodiscard]] std::size_t longest() const { return body_.size() + std::size_t{64} * 1024; }

 private:
  [[nodiscard]] bool parsed_right(std::string_view output) const;

  int status_;
  std::string body_;
  std::string seen_right_;
};

}  // namespace viaduct::bench
