#include "sdk/src/form/multipart.hpp"

#include <algorithm>
#include <utility>

#include "protocol/text.hpp"
#include "sdk/src/chars.hpp"
#include "sdk/src/fields_access.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::size_t kLineEnd = 2;

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

const char* describe(MultipartError error) {
  switch (error) {
    case MultipartError::ok:
      break;
    case MultipartError::bad_delimiter:
      return "more than the boundary on its line";
    case MultipartError::bad_header:
      return "malformed header line";
    case MultipartError::unfinished:
      return "no closing boundary";
    case MultipartError::too_many_parts:
      return "too many parts";
    case MultipartError::header_too_large:
      return "the header is too large";
  }
  return "complete";
}

MultipartParser::MultipartParser(std::string_view boundary, const MultipartLimits& limits)
    : delimiter_("\r\n--" + std::string(boundary)), limits_(limits) {}

std::size_t MultipartParser::feed(std::string_view bytes) {
  event_ = {};
  std::size_t taken = 0;
  while (taken < bytes.size() && event_.kind == MultipartEvent::Kind::none &&
         error_ == MultipartError::ok) {
    const std::string_view rest = bytes.substr(taken);
    switch (state_) {
      case State::preamble:
      case State::content:
        taken += search(rest);
        break;
      case State::after_delimiter:
        taken += delimiter_tail(rest);
        break;
      case State::head:
        taken += read_head(rest);
        break;
      case State::epilogue:
        return bytes.size();
    }
  }
  return taken;
}

MultipartEvent MultipartParser::next() {
  return std::exchange(event_, {});
}

void MultipartParser::finish() {
  if (error_ == MultipartError::ok && state_ != State::epilogue) fail(MultipartError::unfinished);
}

std::size_t MultipartParser::search(std::string_view bytes) {
  return matched_ > 0 ? continue_match(bytes) : search_delimiter(bytes);
}

std::size_t MultipartParser::search_delimiter(std::string_view bytes) {
  const std::size_t found = bytes.find(delimiter_);
  if (found != std::string_view::npos) {
    report_data(bytes.substr(0, found));
    if (event_.kind == MultipartEvent::Kind::data) return found;
    on_delimiter();
    return found + delimiter_.size();
  }
  // The delimiter has one CR, its first byte: only the last one may begin a delimiter that is cut.
  const std::size_t last = bytes.rfind('\r');
  const bool cut = last != std::string_view::npos && delimiter_.starts_with(bytes.substr(last));
  const std::size_t data = cut ? last : bytes.size();
  report_data(bytes.substr(0, data));
  matched_ = bytes.size() - data;
  return bytes.size();
}

std::size_t MultipartParser::continue_match(std::string_view bytes) {
  const std::string_view wanted = std::string_view(delimiter_).substr(matched_);
  const auto end =
      bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), wanted.size()));
  const auto same = static_cast<std::size_t>(
      std::mismatch(bytes.begin(), end, wanted.begin()).first - bytes.begin());
  matched_ += same;
  if (matched_ == delimiter_.size()) {
    on_delimiter();
  } else if (same < bytes.size()) {
    // It was content after all; its bytes are those of the delimiter.
    const std::size_t not_ours = implied_line_end_ ? kLineEnd : 0;
    report_data(std::string_view(delimiter_).substr(not_ours, matched_ - not_ours));
    implied_line_end_ = false;
    matched_ = 0;
  }
  return same;
}

void MultipartParser::on_delimiter() {
  implied_line_end_ = false;
  matched_ = 0;
  tail_ = '\0';
  if (state_ == State::content) event_.kind = MultipartEvent::Kind::part_end;
  state_ = State::after_delimiter;
}

std::size_t MultipartParser::delimiter_tail(std::string_view bytes) {
  const char c = bytes.front();
  const char before = std::exchange(tail_, c);
  const bool padding = before == '\0' || is_space(before);
  if (before == '-' && c == '-') {
    state_ = State::epilogue;
    event_.kind = MultipartEvent::Kind::end;
  } else if (before == '\r' && c == '\n') {
    if (parts_ == limits_.parts) {
      fail(MultipartError::too_many_parts);
      return 1;
    }
    ++parts_;
    head_size_ = 0;
    FieldsAccess::clear(headers_);
    state_ = State::head;
  } else if (!(padding && (is_space(c) || c == '\r')) && !(before == '\0' && c == '-')) {
    fail(MultipartError::bad_delimiter);
  }
  return 1;
}

std::size_t MultipartParser::read_head(std::string_view bytes) {
  const std::size_t feed = bytes.find('\n');
  const std::size_t size = feed == std::string_view::npos ? bytes.size() : feed + 1;
  if (size > limits_.head - head_size_) {
    fail(MultipartError::header_too_large);
    return size;
  }
  head_size_ += size;
  line_ += bytes.substr(0, size);
  if (feed != std::string_view::npos) take_line();
  return size;
}

void MultipartParser::take_line() {
  const std::string line = std::exchange(line_, {});
  const std::string_view text = std::string_view(line).substr(0, line.size() - 1);
  if (!text.ends_with('\r')) return fail(MultipartError::bad_header);
  const std::string_view content = text.substr(0, text.size() - 1);
  if (!std::all_of(content.begin(), content.end(), is_field_char)) {
    return fail(MultipartError::bad_header);
  }
  if (!content.empty() && is_space(content.front())) {
    if (field_.empty()) return fail(MultipartError::bad_header);
    field_ += ' ';
    field_ += protocol::trim(content);
    return;
  }
  store_field();
  if (error_ != MultipartError::ok) return;
  field_ = content;
  if (content.empty()) begin_content();
}

void MultipartParser::store_field() {
  if (field_.empty()) return;
  const std::size_t colon = field_.find(':');
  const std::string_view name = std::string_view(field_).substr(0, colon);
  if (colon == std::string::npos || !is_token(name)) return fail(MultipartError::bad_header);
  FieldsAccess::append(headers_, std::string(name),
                       protocol::trim(std::string_view(field_).substr(colon + 1)));
}

void MultipartParser::begin_content() {
  state_ = State::content;
  matched_ = kLineEnd;
  implied_line_end_ = true;
  event_.kind = MultipartEvent::Kind::part;
  event_.headers = &headers_;
}

void MultipartParser::report_data(std::string_view bytes) {
  if (bytes.empty() || state_ != State::content) return;
  event_.kind = MultipartEvent::Kind::data;
  event_.bytes = bytes;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
