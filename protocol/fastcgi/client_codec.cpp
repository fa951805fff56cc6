#include "protocol/fastcgi/client_codec.hpp"

#include <string>
#include <utility>

#include "protocol/fastcgi/flow_control.hpp"
#include "protocol/text.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

constexpr std::size_t kCreditBody = 4;

// Bounds of what one result is read into; a result is one record (FastCGI 4.1).
constexpr Limits kResultLimits{.params = kMaxContent, .name = 1024, .value = 1024, .count = 256};

std::optional<std::uint32_t> number(const Pairs& pairs, std::string_view name) {
  const auto text = pairs.get(name);
  const auto value = text ? parse_decimal(*text) : std::nullopt;
  if (!value || *value > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

Values read_values(const Pairs& pairs) {
  Values values;
  values.max_conns = number(pairs, FCGI_MAX_CONNS);
  values.max_reqs = number(pairs, FCGI_MAX_REQS);
  if (const auto multiplexes = number(pairs, FCGI_MPXS_CONNS)) {
    values.multiplexes = *multiplexes != 0;
  }
  const auto window = number(pairs, kWindowName);
  if (window && *window >= kMinWindow && *window <= kMaxWindow) values.window = window;
  values.prefetch = number(pairs, kPrefetchName);
  values.threads = pairs.get(kModelName) == kThreadsModel;
  return values;
}

}  // namespace

std::size_t ClientCodec::feed(Bytes bytes) {
  if (event_ || error_ != Errc::ok) return 0;
  std::size_t taken = 0;
  while (taken < bytes.size() && !event_ && error_ == Errc::ok) {
    RecordPiece piece;
    bool ready = false;
    taken += reader_.read(bytes.subspan(taken), piece, ready);
    if (ready) handle(piece);
    if (reader_.error() != Errc::ok) error_ = reader_.error();
  }
  return taken;
}

ClientEvent ClientCodec::next() {
  if (!event_) return {};
  return *std::exchange(event_, std::nullopt);
}

Errc ClientCodec::error() const {
  return error_;
}

std::size_t ClientCodec::memory() const {
  return writer_.output().memory() + (values_ ? values_->memory() : 0) + memory_of(trace_);
}

Output& ClientCodec::output() {
  return writer_.output();
}

void ClientCodec::report(const ClientEvent& event) {
  event_ = event;
}

void ClientCodec::handle(const RecordPiece& piece) {
  using Kind = ClientEvent::Kind;
  if (piece.id == FCGI_NULL_REQUEST_ID) return handle_management(piece);
  switch (piece.type) {
    case FCGI_STDOUT:
      return on_stream(piece, Kind::output, Kind::output_end);
    case FCGI_STDERR:
      return on_stream(piece, Kind::errors, Kind::none);
    case FCGI_END_REQUEST:
      return on_end(piece);
    case kCredit:
      return on_credit(piece);
    case kTrace:
      return on_trace(piece);
    case FCGI_BEGIN_REQUEST:
    case FCGI_ABORT_REQUEST:
    case FCGI_PARAMS:
    case FCGI_STDIN:
    case FCGI_DATA:
      error_ = Errc::unexpected_record;
      return;
    case FCGI_GET_VALUES:
    case FCGI_GET_VALUES_RESULT:
    case FCGI_UNKNOWN_TYPE:
      error_ = Errc::bad_request_id;
      return;
    default:
      return;
  }
}

void ClientCodec::handle_management(const RecordPiece& piece) {
  switch (piece.type) {
    case FCGI_GET_VALUES_RESULT:
      return on_values(piece);
    case FCGI_GET_VALUES:
      error_ = Errc::unexpected_record;
      return;
    case FCGI_BEGIN_REQUEST:
    case FCGI_ABORT_REQUEST:
    case FCGI_END_REQUEST:
    case FCGI_PARAMS:
    case FCGI_STDIN:
    case FCGI_STDOUT:
    case FCGI_STDERR:
    case FCGI_DATA:
      error_ = Errc::bad_request_id;
      return;
    case kCredit:
    case kTrace:
      if (window_agreed_) error_ = Errc::bad_request_id;
      return;
    default:
      return;
  }
}

void ClientCodec::on_stream(const RecordPiece& piece, ClientEvent::Kind content,
                            ClientEvent::Kind end) {
  if (!piece.bytes.empty()) {
    report({.kind = content, .id = piece.id, .bytes = piece.bytes});
  } else if (end != ClientEvent::Kind::none) {
    report({.kind = end, .id = piece.id});
  }
}

void ClientCodec::on_end(const RecordPiece& piece) {
  if (piece.content != kFixedBody) {
    error_ = Errc::bad_record;
    return;
  }
  fixed_.append(piece);
  if (!piece.last) return;
  const std::uint32_t status = fixed_.byte(4);
  if (status > FCGI_UNKNOWN_ROLE) {
    error_ = Errc::bad_record;
    return;
  }
  report({.kind = ClientEvent::Kind::end,
          .id = piece.id,
          .protocol_status = static_cast<ProtocolStatus>(status),
          .app_status = fixed_.number()});
}

void ClientCodec::on_credit(const RecordPiece& piece) {
  if (!window_agreed_) return;
  if (piece.content != kCreditBody) {
    error_ = Errc::bad_record;
    return;
  }
  fixed_.append(piece);
  if (!piece.last) return;
  report({.kind = ClientEvent::Kind::credit, .id = piece.id, .count = fixed_.number()});
}

void ClientCodec::on_trace(const RecordPiece& piece) {
  if (!window_agreed_) return;
  if (piece.content > kMaxTrace) {
    error_ = Errc::bad_record;
    return;
  }
  if (piece.first) trace_.clear();
  trace_ += as_text(piece.bytes);
  if (piece.last) report({.kind = ClientEvent::Kind::trace, .id = piece.id, .text = trace_});
}

void ClientCodec::on_values(const RecordPiece& piece) {
  if (queries_ == 0) return;
  if (!values_) values_ = std::make_unique<ParamsReader>(kResultLimits);
  const Errc error = values_->feed(piece.bytes);
  if (error != Errc::ok || (piece.last && values_->within_pair())) {
    error_ = Errc::bad_record;
    return;
  }
  if (!piece.last) return;
  const Values values = read_values(values_->received());
  values_.reset();
  --queries_;
  if (window_offered_ && values.window) window_agreed_ = true;
  report({.kind = ClientEvent::Kind::values, .values = values});
}

void ClientCodec::get_values(std::optional<std::uint32_t> window, bool draining) {
  Pairs names;
  names.add(FCGI_MAX_REQS, "");
  names.add(FCGI_MPXS_CONNS, "");
  if (window) {
    names.add(kWindowName, std::to_string(*window));
    names.add(kPrefetchName, "");
    names.add(kModelName, "");
  }
  if (draining) names.add(kDrainingName, "1");
  writer_.query(names);
  window_offered_ = window_offered_ || window.has_value();
  ++queries_;
}

void ClientCodec::begin(RequestId id, Role role, bool keep_connection) {
  writer_.begin(id, role, keep_connection);
}

void ClientCodec::params(RequestId id, const Pairs& params) {
  writer_.pairs(FCGI_PARAMS, id, params);
  writer_.stream_end(FCGI_PARAMS, id);
}

void ClientCodec::input(RequestId id, Bytes bytes) {
  writer_.stream(FCGI_STDIN, id, bytes);
}

void ClientCodec::input_end(RequestId id) {
  writer_.stream_end(FCGI_STDIN, id);
}

void ClientCodec::data(RequestId id, Bytes bytes) {
  writer_.stream(FCGI_DATA, id, bytes);
}

void ClientCodec::data_end(RequestId id) {
  writer_.stream_end(FCGI_DATA, id);
}

void ClientCodec::abort(RequestId id) {
  writer_.abort(id);
}

void ClientCodec::trace(RequestId id) {
  writer_.trace(id, {});
}

void ClientCodec::credit(RequestId id, std::uint32_t bytes) {
  writer_.credit(id, bytes);
}

}  // namespace viaduct::protocol::fastcgi
