#include "sdk/src/form/part_reader.hpp"

#include <algorithm>
#include <cstring>

#include <viaduct/errors.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::size_t kBuffer = 64 * 1024;

[[noreturn]] void too_large(const char* what, std::uint64_t limit) {
  throw http_error(413, std::string(what) + " is larger than " + std::to_string(limit) + " bytes");
}

bool is_limit(MultipartError error) {
  return error == MultipartError::too_many_parts || error == MultipartError::header_too_large;
}

}  // namespace

PartReader::PartReader(BodySource& source, std::string_view boundary, const FormLimits& limits)
    : source_(source), limits_(limits), parser_(boundary, {.parts = limits.parts}) {
  if (source.length().value_or(0) > limits.total) too_large("the form", limits.total);
  buffer_.resize(kBuffer);
}

std::optional<PartReader::PartHead> PartReader::next() {
  while (!piece().empty()) continue;
  while (!ended_ && !broken_) {
    const MultipartEvent event = pull();
    if (event.kind != MultipartEvent::Kind::part) continue;
    auto disposition = read_disposition(*event.headers);
    broken_ = !disposition;
    if (broken_) break;
    in_part_ = true;
    part_ = 0;
    part_is_file_ = disposition->is_file;
    return PartHead{std::move(*disposition), std::move(*event.headers)};
  }
  if (broken_) throw http_error(400, "multipart body: a part is no field of a form");
  return std::nullopt;
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
  if (part_is_file_ && part_ > limits_.file) too_large("a file", limits_.file);
  if (!part_is_file_ && part_ > limits_.field) too_large("a field of the form", limits_.field);
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
  if (error != MultipartError::ok) throw http_error(is_limit(error) ? 413 : 400, describe(error));
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
