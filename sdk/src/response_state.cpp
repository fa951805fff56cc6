#include "sdk/src/response_state.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <stdexcept>

#include "sdk/src/chars.hpp"
#include "sdk/src/fields_access.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::string_view kDefaultType = "text/plain; charset=utf-8";

// Fields of one hop, which is not ours (RFC 9110 section 7.6.1).
bool hop_by_hop(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view known) { return equal_nocase(known, name); });
}

}  // namespace

void ResponseState::begin(bool head_only, RequestState* request, FileDelivery delivery) {
  phase_ = Phase::open;
  broken_ = false;
  head_only_ = head_only;
  stream_ = false;
  in_piece_ = false;
  hooks_.clear();
  request_ = request;
  file_delivery_ = delivery;
  reset();
}

void ResponseState::reset() {
  status_ = 200;
  status_set_ = false;
  FieldsAccess::clear(fields_);
  held_.clear();
  written_ = 0;
  sent_ = 0;
  declared_.reset();
  transforms_.clear();
  in_transform_ = false;
}

void ResponseState::require_open() const {
  if (started()) throw std::logic_error("the response has started: its head is out");
}

void ResponseState::require_no_transform() const {
  if (in_transform_) throw std::logic_error("a transform only returns what to send");
}

void ResponseState::set_status(int status) {
  require_open();
  if (status < 200 || status > 999) {
    throw std::invalid_argument("response status " + std::to_string(status) +
                                " is not from 200 to 999");
  }
  status_ = status;
  status_set_ = true;
}

Fields& ResponseState::fields_to_change() {
  require_open();
  return fields_;
}

void ResponseState::add_hook(std::function<void(Response&)> hook) {
  require_open();
  hooks_.push_back(std::move(hook));
}

void ResponseState::add_transform(Transform transform) {
  require_open();
  require_no_transform();
  transforms_.push_back(std::move(transform));
}

// As with middleware, the first one is the outermost: it has the last word.
std::string ResponseState::transformed(std::string_view bytes, bool last) {
  struct Inside {
    explicit Inside(bool& flag) : flag_(flag) { flag_ = true; }
    ~Inside() { flag_ = false; }
    bool& flag_;
  };
  const Inside inside(in_transform_);
  std::string text(bytes);
  for (auto next = transforms_.rbegin(); next != transforms_.rend(); ++next) {
    text = (*next)(text, last);
  }
  return text;
}

std::optional<std::uint64_t> ResponseState::declared_length() const {
  const auto text = fields_.get("Content-Length");
  if (!text) return std::nullopt;
  std::uint64_t length = 0;
  const char* const end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, length);
  if (text->empty() || parsed.ec != std::errc() || parsed.ptr != end) {
    throw invalid_header("Content-Length \"" + std::string(*text) + "\" is no number of bytes");
  }
  return length;
}

// They stay until the head is out, for the answer to what goes wrong until then; but for one that
// threw, which would do so again. Those that a hook adds are for a later answer.
void ResponseState::run_hooks() {
  Hooks hooks = std::exchange(hooks_, {});
  const auto keep = [&] {
    if (started()) return;
    std::move(hooks_.begin(), hooks_.end(), std::back_inserter(hooks));
    hooks_ = std::move(hooks);
  };
  for (auto hook = hooks.begin(); hook != hooks.end(); ++hook) {
    try {
      (*hook)(response_);
    } catch (...) {
      hooks.erase(hook);
      keep();
      throw;
    }
  }
  keep();
}

void ResponseState::fill_head(std::optional<std::uint64_t> length) {
  head_.fields.clear();
  head_.reason.clear();
  bool typed = false;
  bool located = false;
  for (const auto& [name, value] : fields_.items()) {
    if (equal_nocase(name, "Content-Length") || hop_by_hop(name)) continue;
    if (equal_nocase(name, "Transfer-Encoding") || equal_nocase(name, "Status")) {
      throw invalid_header(name + " is not the application's to send");
    }
    typed = typed || equal_nocase(name, "Content-Type");
    located = located || equal_nocase(name, "Location");
    head_.fields.add(name, value);
  }
  if (located && !status_set_) status_ = 302;
  head_.status = status_;
  const bool has_body = !protocol::contentless(status_);
  if (has_body && !typed && length != 0U) head_.fields.add("Content-Type", kDefaultType);
  head_.content_length = has_body || status_ == 304 ? length : std::nullopt;
  if (status_ == 205) head_.content_length = 0;
  if (head_.content_length) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, *head_.content_length);
    head_.fields.add("Content-Length", {digits, static_cast<std::size_t>(end.ptr - digits)});
  }
}

// Decides on the head, and on the first of the body where it is transformed: transforms may still
// change the head then. `complete`: what is held is all of the body.
void ResponseState::prepare(bool complete) {
  starts_complete_ = complete;
  if (!hooks_.empty()) {
    run_hooks();
    if (started()) return;  // by a hook that wrote a lot
  }
  declared_ = declared_length();
  // A body that nobody gets may be left out (HEAD, 304), and then says nothing about the length.
  const bool left_out = suppressed() && written_ == 0;
  if (transforming()) {
    if (!protocol::contentless(status_) && !left_out) held_ = transformed(held_, complete);
    fields_.erase("Content-Length");
  }
  if (declared_ && !transforming()) {
    fill_head(declared_);
  } else {
    const bool known = complete && !left_out && !(transforming() && protocol::contentless(status_));
    fill_head(known ? std::optional<std::uint64_t>(held_.size()) : std::nullopt);
  }
}

void ResponseState::start() {
  prepare(false);
  if (started()) return;
  // Should it throw, nothing was sent.
  sink_.head(head_);
  phase_ = Phase::started;
  drop_hooks();
  emit(held_);
  held_.clear();
}

// What is held goes out.
void ResponseState::start_or_pass() {
  if (!started()) return start();
  pass(held_);
  held_.clear();
}

// Once started: what the handler wrote.
void ResponseState::pass(std::string_view bytes) {
  if (bytes.empty() || suppressed()) return;
  if (transforming()) {
    emit(transformed(bytes, false));
  } else {
    emit(bytes);
  }
}

void ResponseState::emit(std::string_view bytes) {
  if (bytes.empty() || suppressed()) return;
  sink_.body(protocol::as_bytes(bytes));
  sent_ += bytes.size();
}

void ResponseState::write(std::string_view bytes) {
  if (finished()) return;
  require_no_transform();
  const auto limit = started() ? declared_ : declared_length();
  if (limit && bytes.size() > *limit - std::min(written_, *limit)) {
    throw std::length_error("response body is longer than its Content-Length of " +
                            std::to_string(*limit) + " bytes");
  }
  written_ += bytes.size();
  if (held_.size() + bytes.size() <= kHold) {
    held_ += bytes;
    return;
  }
  start_or_pass();
  if (bytes.size() >= kHold) {
    pass(bytes);
  } else {
    held_ = bytes;
  }
}

void ResponseState::send(std::string_view whole) {
  if (written_ == 0 && !started() && whole.size() > kHold && !fields_.get("Content-Length")) {
    fields_.set("Content-Length", std::to_string(whole.size()));
  }
  write(whole);
}

void ResponseState::flush() {
  if (finished()) return;
  require_no_transform();
  start_or_pass();
  sink_.flush();
}

void ResponseState::finish() {
  if (finished()) return;
  const auto limit = started() ? declared_ : declared_length();
  if (limit && written_ < *limit && !suppressed()) {
    throw std::length_error("response body ended after " + std::to_string(written_) + " of " +
                            std::to_string(*limit) + " bytes");
  }
  if (!started()) prepare(true);
  if (!started()) {
    sink_.whole(head_, protocol::as_bytes(suppressed() ? std::string_view() : held_));
    if (!suppressed()) sent_ = held_.size();
    phase_ = Phase::finished;
    drop_hooks();
    return;
  }
  if (transforming() && !suppressed()) {
    emit(transformed(held_, true));
  } else {
    emit(held_);
  }
  held_.clear();
  phase_ = Phase::finished;
  sink_.end();
}

void ResponseState::stay_open(std::chrono::milliseconds interval, std::string_view heartbeat) {
  stream_ = true;
  // It would go past the transforms, and into an answer without content.
  if (transforming() || suppressed()) interval = {};
  sink_.stay_open(interval, heartbeat);
}

void ResponseState::write_piece(std::string_view piece) {
  in_piece_ = true;
  write(piece);
  flush();
  in_piece_ = false;
}

void ResponseState::end_stream() {
  finish();
  throw client_gone("the stream has ended");
}

void ResponseState::leave() {
  if (phase_ == Phase::started && stream_ && !in_piece_) {
    finish();
  } else {
    abandon();
  }
}

void ResponseState::abandon() {
  if (phase_ != Phase::started) return;
  phase_ = Phase::finished;
  broken_ = true;
  sink_.fail();
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
