#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <viaduct/form.hpp>

#include "sdk/src/channel.hpp"
#include "sdk/src/form/disposition.hpp"
#include "sdk/src/form/multipart.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Reads a multipart/form-data body part by part; parts without a name are skipped. As a BodySource
/// it is the part in hand, whose read() also throws http_error: 413 beyond the limits, 400 for a
/// malformed body. An error stays: whoever goes on gets it again.
class PartReader final : public BodySource {
 public:
  struct PartHead {
    Disposition disposition;
    Fields headers;
  };

  /// Throws http_error 413 when `source` announces more than the limits allow.
  PartReader(BodySource& source, std::string_view boundary, const FormLimits& limits);

  /// The next part; what is left of the one before is skipped. Absent at the end of the body.
  std::optional<PartHead> next();

  [[nodiscard]] std::optional<std::uint64_t> length() const override { return std::nullopt; }
  std::size_t read(std::span<std::byte> into) override;

  /// The content's next piece, read in place: empty at the part's end, else valid until the next
  /// call of any member.
  std::string_view piece();

 private:
  MultipartEvent pull();
  void refill();
  void check_parser() const;
  [[nodiscard]] std::string here() const;

  BodySource& source_;
  const FormLimits limits_;
  MultipartParser parser_;
  std::vector<char> buffer_;
  std::string_view unparsed_;  // of buffer_
  std::string_view unread_;    // of the part in hand
  std::uint64_t total_ = 0;    // bytes of the body so far
  std::uint64_t part_ = 0;     // bytes of the part in hand so far
  bool part_is_file_ = false;
  bool in_part_ = false;
  PartFault fault_ = PartFault::none;  // of the part in hand, which is none of a form
  bool ended_ = false;                 // the body
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
