#include "protocol/one_request_client.hpp"

#include <utility>

namespace viaduct::protocol {

std::size_t OneRequestClient::feed(Bytes bytes) {
  if (event_ || bytes.empty()) return 0;
  // What comes before there is a request, or behind it, answers nothing.
  if (id_ == 0) return bytes.size();
  answered_ = true;
  event_ = ClientEvent{.kind = ClientEvent::Kind::output, .id = id_, .bytes = bytes};
  return bytes.size();
}

ClientEvent OneRequestClient::next() {
  if (!event_) return {};
  return *std::exchange(event_, std::nullopt);
}

void OneRequestClient::finish() {
  if (!std::exchange(answered_, false)) return;
  event_ = ClientEvent{.kind = ClientEvent::Kind::end, .id = std::exchange(id_, RequestId{0})};
}

void OneRequestClient::begin(RequestId id, Role /*role*/, bool /*keep_connection*/) {
  id_ = id;
  answered_ = false;
}

void OneRequestClient::input(RequestId /*id*/, Bytes bytes) {
  output_.refer(bytes);
}

}  // namespace viaduct::protocol
