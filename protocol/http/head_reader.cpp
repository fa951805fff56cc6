#include "protocol/http/head_reader.hpp"

#include <algorithm>

namespace viaduct::protocol::http {
namespace {

constexpr std::size_t kKept = 8192;

}  // namespace

std::size_t HeadReader::feed(std::string_view bytes) {
  std::size_t from = 0;  // of what belongs to the head
  std::size_t at = 0;
  while (at < bytes.size() && !done_ && error_ == Errc::ok) {
    if (const std::size_t passed = pass_over(bytes.substr(at))) {
      at += passed;
      continue;
    }
    take(bytes[at++]);
    if (!begun_) from = at;
  }
  text_.append(bytes.substr(from, at - from));
  return at;
}

// Takes bytes within a line that no rule looks at, and says how many.
std::size_t HeadReader::pass_over(std::string_view bytes) {
  if (line_ == 0 || previous_ == '\r') return 0;
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), limit_ - size_));
  const auto end = std::find_if(bytes.data(), bytes.data() + most,
                                [](char c) { return static_cast<unsigned char>(c) <= '\r'; });
  const auto count = static_cast<std::size_t>(end - bytes.data());
  if (count == 0) return 0;
  previous_ = *(end - 1);
  line_ += count;
  size_ += count;
  return count;
}

void HeadReader::take(char c) {
  const char before = previous_;
  previous_ = c;
  if (c == '\0' || (before == '\r') != (c == '\n')) {
    error_ = Errc::bare_line_end;
    return;
  }
  const bool starts_a_line = line_ == 0 && c != '\r' && c != '\n';
  begun_ = begun_ || starts_a_line;
  if (begun_ && ++size_ > limit_) {
    error_ = Errc::params_too_large;
    return;
  }
  if (c == '\n') return end_line();
  if (c == '\r') return;
  ++line_;
  const bool first_line = size_ == 1;
  if (starts_a_line && !first_line && (c == ' ' || c == '\t')) error_ = Errc::bad_field_line;
}

void HeadReader::end_line() {
  if (line_ == 0) done_ = begun_;
  line_ = 0;
}

void HeadReader::reset() {
  if (memory_of(text_) > kKept) give_back(text_);
  text_.clear();
  line_ = 0;
  size_ = 0;
  previous_ = '\n';
  begun_ = false;
  done_ = false;
  error_ = Errc::ok;
}

}  // namespace viaduct::protocol::http
