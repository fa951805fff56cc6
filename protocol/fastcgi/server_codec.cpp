#include "protocol/fastcgi/server_codec.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/fastcgi/flow_control.hpp"
#include "protocol/text.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

// Readers beyond these are given back to the heap when their PARAMS are complete.
constexpr std::size_t kSpareReaders = 8;
constexpr std::size_t kCreditBody = 4;
constexpr std::size_t kHeldValues = 8;

// Whether SERVER_SOFTWARE names nginx or a server made of it.
bool made_of_nginx(std::string_view software) {
  const std::string_view name = software.substr(0, software.find_first_of("/ "));
  constexpr std::array<std::string_view, 5> kNames = {"nginx", "openresty", "angie", "freenginx",
                                                      "tengine"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [name](std::string_view known) { return equal_nocase(name, known); });
}

// What one FCGI_GET_VALUES record may ask for; one record is all there is to it (FastCGI 4.1).
constexpr Limits kQueryLimits{.params = kMaxContent, .name = 1024, .value = 1024, .count = 256};

bool application_type(std::uint8_t type) {
  return type >= FCGI_BEGIN_REQUEST && type <= FCGI_DATA;
}

bool management_type(std::uint8_t type) {
  return type >= FCGI_GET_VALUES && type <= FCGI_UNKNOWN_TYPE;
}

}  // namespace

ServerCodec::ServerCodec(const ServerOptions& options) : options_(options) {}
ServerCodec::~ServerCodec() = default;

std::size_t ServerCodec::memory() const {
  std::size_t sum = writer_.output().memory() + requests_.memory() + params_memory_ +
                    memory_of(scratch_) + head_.params.memory() + memory_of(spare_readers_) +
                    memory_of(held_values_);
  for (const auto& reader : spare_readers_) sum += reader->memory();
  for (const auto& query : held_values_) sum += query->memory();
  return values_ ? sum + values_->memory() : sum;
}

void ServerCodec::release() {
  give_back(spare_readers_);
  give_back(head_.params);
  give_back(scratch_);
  writer_.output().release();
  if (requests_.size() == 0) requests_.clear();
}

std::size_t ServerCodec::feed(Bytes bytes) {
  if (next_event_ < event_count_ || error_ != Errc::ok) return 0;
  next_event_ = 0;
  event_count_ = 0;
  std::size_t taken = 0;
  while (taken < bytes.size() && event_count_ == 0 && error_ == Errc::ok) {
    if (closing()) return bytes.size();
    RecordPiece piece;
    bool ready = false;
    taken += reader_.read(bytes.subspan(taken), piece, ready);
    if (ready) handle(piece);
    if (reader_.error() != Errc::ok) drop_connection(reader_.error());
  }
  return taken;
}

Event ServerCodec::next() {
  if (next_event_ < event_count_) return events_[next_event_++];
  return {};
}

void ServerCodec::report(const Event& event) {
  events_[event_count_++] = event;
}

void ServerCodec::handle(const RecordPiece& piece) {
  if (piece.id == FCGI_NULL_REQUEST_ID) return handle_management(piece);
  if (management_type(piece.type)) return drop_connection(Errc::bad_request_id);
  switch (piece.type) {
    case FCGI_BEGIN_REQUEST:
      return on_begin(piece);
    case FCGI_ABORT_REQUEST:
      return on_abort(piece);
    case FCGI_PARAMS:
      return on_params(piece);
    case FCGI_STDIN:
      return on_stdin(piece);
    case FCGI_DATA:
      return on_data(piece);
    case FCGI_END_REQUEST:
    case FCGI_STDOUT:
    case FCGI_STDERR:
      return drop_connection(Errc::unexpected_record);
    case kCredit:
      if (window_agreed_) on_credit(piece);
      return;
    case kTrace:
      if (window_agreed_) on_trace(piece);
      return;
    default:
      return;
  }
}

void ServerCodec::handle_management(const RecordPiece& piece) {
  const bool extension = piece.type == kCredit || piece.type == kTrace;
  if (application_type(piece.type) || (extension && window_agreed_)) {
    return drop_connection(Errc::bad_request_id);
  }
  if (piece.type == FCGI_GET_VALUES) return on_get_values(piece);
  if (management_type(piece.type)) return drop_connection(Errc::unexpected_record);
  if (piece.last) writer_.unknown_type(piece.type);
}

void ServerCodec::on_begin(const RecordPiece& piece) {
  if (piece.content != kFixedBody) return drop_connection(Errc::bad_record);
  fixed_.append(piece);
  if (!piece.last) return;
  if (requests_.find(piece.id) != nullptr) return drop_connection(Errc::request_id_in_use);
  const std::uint32_t role = fixed_.byte(0) << 8 | fixed_.byte(1);
  const bool keep_connection = (fixed_.byte(2) & FCGI_KEEP_CONN) != 0;
  const std::size_t active = requests_.size();
  if (active > 0) multiplexed_ = true;

  auto refusal = ProtocolStatus::request_complete;
  if (active > 0 && !options_.multiplex) {
    refusal = ProtocolStatus::cant_multiplex;
  } else if (role < FCGI_RESPONDER || role > FCGI_FILTER) {
    refusal = ProtocolStatus::unknown_role;
  } else if (active > options_.limits.requests) {
    refusal = ProtocolStatus::overloaded;
  }
  if (refusal != ProtocolStatus::request_complete) {
    writer_.end(piece.id, 0, refusal);
    if (!keep_connection) close_when_idle_ = true;
    return;
  }
  ActiveRequest& request = requests_.insert(piece.id);
  request.role = static_cast<Role>(role);
  request.keep_connection = keep_connection;
  if (active == options_.limits.requests) refuse(piece.id, request, Errc::too_many_requests);
}

void ServerCodec::on_abort(const RecordPiece& piece) {
  if (!piece.last) return;
  ActiveRequest* const request = requests_.find(piece.id);
  if (request == nullptr) return;
  if (!request->reported) return finish(piece.id, 0, ProtocolStatus::request_complete);
  if (request->failed) {
    --failed_;
    return finish(piece.id, 1, ProtocolStatus::request_complete);
  }
  if (request->refused || request->aborted) return;
  request->input = Input::skipping;
  request->aborted = true;
  report({.kind = Event::Kind::abort, .id = piece.id});
}

void ServerCodec::on_params(const RecordPiece& piece) {
  ActiveRequest* const request = requests_.find(piece.id);
  if (request == nullptr || request->input == Input::skipping) return;
  if (request->input != Input::params) {
    if (piece.content > 0) drop_connection(Errc::unexpected_record);
    return;
  }
  if (piece.content == 0) return on_params_end(piece.id, *request);
  Errc error = Errc::ok;
  if (!request->params) {
    // A head that begins takes what has come of it, and little more.
    give_params_reader(*request);
    error = request->params->feed(piece.bytes);
    count_params(*request);
  } else {
    error = feed_further(*request, piece.bytes);
  }
  if (error != Errc::ok) refuse(piece.id, *request, error);
}

// A head that goes on may become twice as large by a few bytes.
Errc ServerCodec::feed_further(ActiveRequest& request, Bytes bytes) {
  const std::size_t before = request.params_memory;
  const Errc error = request.params->feed(bytes);
  count_params(request);
  growth_ += request.params_memory - before;
  if (growth_ >= Event::kGrowth) {
    growth_ = 0;
    report({.kind = Event::Kind::growth});
  }
  return error;
}

void ServerCodec::on_params_end(RequestId id, ActiveRequest& request) {
  head_.params.clear();
  head_.content_length.reset();
  head_.transfer_coded = false;
  head_.odd_fields = 0;
  head_.role = request.role;
  if (request.params) {
    const Errc error = request.params->finish(head_);
    if (error != Errc::ok) return refuse(id, request, error);
    take_params_reader(request);
  }
  request.reported = true;
  request.content_length = head_.content_length;
  reported_at_ = answer_at_ = writer_.output().appended();
  if (!is_nginx_) is_nginx_ = made_of_nginx(head_.params.get("SERVER_SOFTWARE").value_or(""));
  report({.kind = Event::Kind::request, .id = id, .head = &head_});
  if (request.role == Role::authorizer) {
    request.input = Input::done;
    report({.kind = Event::Kind::body_end, .id = id});
  } else {
    request.input = Input::stdin_;
  }
}

void ServerCodec::on_stdin(const RecordPiece& piece) {
  ActiveRequest* const request = requests_.find(piece.id);
  if (request == nullptr) return;
  if (request->input == Input::params) return drop_connection(Errc::unexpected_record);
  if (request->input != Input::stdin_) return;
  if (piece.content == 0) return on_stdin_end(piece.id, *request);
  Bytes bytes = piece.bytes;
  if (request->content_length) {
    const std::uint64_t wanted = *request->content_length - request->received;
    bytes = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(wanted, bytes.size())));
  }
  request->received += bytes.size();
  if (!bytes.empty()) report({.kind = Event::Kind::body, .id = piece.id, .bytes = bytes});
}

void ServerCodec::on_stdin_end(RequestId id, ActiveRequest& request) {
  if (request.content_length.value_or(0) > request.received) {
    request.input = Input::skipping;
    request.aborted = true;
    report({.kind = Event::Kind::abort, .id = id, .error = Errc::body_truncated});
    return;
  }
  request.input = request.role == Role::filter ? Input::data : Input::done;
  report({.kind = Event::Kind::body_end, .id = id});
}

void ServerCodec::on_data(const RecordPiece& piece) {
  ActiveRequest* const request = requests_.find(piece.id);
  if (request == nullptr) return;
  if (request->input == Input::params || request->input == Input::stdin_) {
    return drop_connection(Errc::unexpected_record);
  }
  if (request->input != Input::data) return;
  if (piece.content == 0) {
    request->input = Input::done;
    report({.kind = Event::Kind::data_end, .id = piece.id});
  } else {
    report({.kind = Event::Kind::data, .id = piece.id, .bytes = piece.bytes});
  }
}

void ServerCodec::on_credit(const RecordPiece& piece) {
  if (piece.content != kCreditBody) return drop_connection(Errc::bad_record);
  fixed_.append(piece);
  const ActiveRequest* const request = requests_.find(piece.id);
  if (!piece.last || request == nullptr || !request->reported || request->refused) return;
  report({.kind = Event::Kind::credit, .id = piece.id, .count = fixed_.number()});
}

void ServerCodec::on_trace(const RecordPiece& piece) {
  if (piece.content != 0) return drop_connection(Errc::bad_record);
  const ActiveRequest* const request = requests_.find(piece.id);
  if (request == nullptr || !request->reported || request->refused) return;
  report({.kind = Event::Kind::trace, .id = piece.id});
}

void ServerCodec::on_get_values(const RecordPiece& piece) {
  if (!values_) values_ = std::make_unique<ParamsReader>(kQueryLimits);
  const Errc error = values_->feed(piece.bytes);
  if (error != Errc::ok || (piece.last && values_->within_pair())) {
    return drop_connection(Errc::bad_record);
  }
  if (!piece.last) return;
  if (!options_.hold_values) {
    answer_values(values_->received());
  } else if (held_values_.size() < kHeldValues) {
    held_values_.push_back(std::move(values_));
  }
  values_.reset();
}

void ServerCodec::answer_held_values() {
  options_.hold_values = false;
  if (next_event_ == event_count_) next_event_ = event_count_ = 0;
  for (const auto& query : held_values_) answer_values(query->received());
  held_values_.clear();
}

void ServerCodec::answer_values(const Pairs& names) {
  Pairs result;
  for (const auto [name, value] : names) {
    if (result.get(name)) continue;
    if (name == FCGI_MAX_CONNS) {
      result.add(name, std::to_string(options_.max_conns));
    } else if (name == FCGI_MAX_REQS) {
      result.add(name, std::to_string(options_.max_reqs));
    } else if (name == FCGI_MPXS_CONNS) {
      result.add(name, options_.multiplex ? "1" : "0");
    } else if (name == kPrefetchName && options_.prefetch) {
      result.add(name, std::to_string(*options_.prefetch));
    } else if (name == kModelName && !options_.model.empty()) {
      result.add(name, options_.model);
    } else if (name == kDrainingName && window_agreed_) {
      result.add(name, "1");
      if (!std::exchange(draining_, true)) report({.kind = Event::Kind::draining});
    } else if (name == kWindowName && options_.window) {
      result.add(name, std::to_string(*options_.window));
      const auto window = parse_decimal(value);
      if (window_agreed_ || !window || *window < kMinWindow || *window > kMaxWindow) continue;
      window_agreed_ = true;
      report({.kind = Event::Kind::window, .count = static_cast<std::uint32_t>(*window)});
    }
  }
  if (result.empty()) {
    writer_.stream_end(FCGI_GET_VALUES_RESULT, FCGI_NULL_REQUEST_ID);
  } else {
    writer_.pairs(FCGI_GET_VALUES_RESULT, FCGI_NULL_REQUEST_ID, result);
  }
}

void ServerCodec::refuse(RequestId id, ActiveRequest& request, Errc error) {
  take_params_reader(request);
  request.input = Input::skipping;
  request.reported = true;
  request.refused = true;
  report({.kind = Event::Kind::refused, .id = id, .error = error});
}

void ServerCodec::give_params_reader(ActiveRequest& request) {
  if (spare_readers_.empty()) {
    request.params = std::make_unique<ParamsReader>(options_.limits);
  } else {
    request.params = std::move(spare_readers_.back());
    spare_readers_.pop_back();
  }
}

void ServerCodec::take_params_reader(ActiveRequest& request) {
  if (!request.params) return;
  params_memory_ -= std::exchange(request.params_memory, 0);
  if (spare_readers_.size() < kSpareReaders) {
    request.params->reset();
    spare_readers_.push_back(std::move(request.params));
  }
  request.params.reset();
}

void ServerCodec::count_params(ActiveRequest& request) {
  params_memory_ -= std::exchange(request.params_memory, request.params->memory());
  params_memory_ += request.params_memory;
}

void ServerCodec::finish(RequestId id, std::uint32_t app_status, ProtocolStatus status) {
  ActiveRequest& request = *requests_.find(id);
  take_params_reader(request);
  if (!request.keep_connection) close_when_idle_ = true;
  writer_.end(id, app_status, status);
  requests_.erase(id);
  break_when_alone();
}

}  // namespace viaduct::protocol::fastcgi
