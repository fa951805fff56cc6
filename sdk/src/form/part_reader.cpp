#include "sdk/src/form/part_reader.hpp"

#include <algorithm>
#include <cstring>

#include <viaduct/errors.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::size_t kBuffer = 64 * 1024;

[[noreturn]] void too_large(const std::string& what, std::uint64_t limit) {
  throw http_error(413, what + " is larger than " + std::to_string(limit) + " bytes");
}

bool is_limit(MultipartError error) {
  return error == MultipartError::header_too_large;
}

}  // namespace

PartReader::PartReader(BodySource& source, std::string_view boundary, const FormLimits& limits)
    : source_(source), limits_(limits), parser_(boundary, {.parts = limits.parts}) {
  if (source.length().value_or(0) > limits.total) too_large("the form", limits.total);
  buffer_.resize(kBuffer);
}

std::optional<PartReader::PartHead> PartReader::next() {
  while (!piece().empty()) continue;
  while (!ended_ && fault_ == PartFault::none) {
    const MultipartEvent event = pull();
    if (event.kind != MultipartEvent::Kind::part) continue;
    auto disposition = read_disposition(*event.headers, &fault_);
    if (!disposition) break;
    in_part_ = true;
    part_ = 0;
    part_is_file_ = disposition->is_file;
    if (disposition->named) return PartHead{std::move(*disposition), std::move(*event.headers)};
    while (!piece().empty()) continue;
  }
  if (fault_ != PartFault::none) throw http_error(400, here() + describe(fault_));
  return std::nullopt;
}

// Where in the body, in front of what is wrong there.
std::string PartReader::here() const {
  const std::size_t part = parser_.parts();
  return part == 0 ? "multipart body: " : "multipart body, part " + std::to_string(part) + ": ";
}

std::string_view PartReader::piece() {
  unread_ = {};
  if (!in_part_) return {};
  const MultipartEvent event = pull();
  if (event.kind != MultipartEvent::Kind::data) {
    in_part_ = false;
    return {};
  }
  part_ += event.bytes.size();
  if (part_is_file_ && part_ > limits_.file) too_large(here() + "a file", limits_.file);
  if (!part_is_file_ && part_ > limits_.field) too_large(here() + "a field", limits_.field);
  return event.bytes;
}

std::size_t PartReader::read(std::span<std::byte> into) {
  if (into.empty()) return 0;
  if (unread_.empty()) unread_ = piece();
  const std::size_t count = std::min(into.size(), unread_.size());
  if (count > 0) std::memcpy(into.data(), unread_.data(), count);
  unread_.remove_prefix(count);
  return count;
}

// The next event; none at the end of the body.
MultipartEvent PartReader::pull() {
  while (true) {
    if (unparsed_.empty()) refill();
    if (ended_) return {};
    unparsed_.remove_prefix(parser_.feed(unparsed_));
    check_parser();
    const MultipartEvent event = parser_.next();
    if (event.kind != MultipartEvent::Kind::none) return event;
  }
}

void PartReader::refill() {
  const std::size_t got = source_.read(std::as_writable_bytes(std::span(buffer_)));
  total_ += got;
  if (total_ > limits_.total) too_large("the form", limits_.total);
  unparsed_ = std::string_view(buffer_.data(), got);
  if (got > 0) return;
  parser_.finish();
  check_parser();
  ended_ = true;
}

void PartReader::check_parser() const {
  const MultipartError error = parser_.error();
  if (error == MultipartError::ok) return;
  if (error == MultipartError::too_many_parts) {
    throw http_error(
        413, "the form has more than " + std::to_string(limits_.parts) + " fields and files");
  }
  throw http_error(is_limit(error) ? 413 : 400, here() + describe(error));
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
