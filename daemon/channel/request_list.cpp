#include "daemon/channel/request_list.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace viaduct::daemon::channel {

namespace {

template <class Number>
void put(std::string& bytes, Number number) {
  static_assert(std::is_integral_v<Number>);
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

void put_text(std::string& bytes, std::string_view text) {
  const std::string_view kept = text.substr(0, ListedRequest::kMaxText);
  put(bytes, static_cast<std::uint32_t>(kept.size()));
  bytes.append(kept);
}

std::string encode_one(const ListedRequest& request, bool with_stack) {
  std::string bytes;
  for (const std::string* text :
       {&request.id, &request.method, &request.target, &request.state, &request.no_stack}) {
    put_text(bytes, *text);
  }
  put(bytes, request.age_ms);
  put(bytes, request.worker_pid);
  const std::size_t frames =
      with_stack ? std::min(request.stack.size(), ListedRequest::kMaxFrames) : 0;
  put(bytes, static_cast<std::uint32_t>(frames));
  for (std::size_t i = 0; i < frames; ++i) put_text(bytes, request.stack[i]);
  return bytes;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }

  template <class Number>
  bool take(Number& number) {
    if (bytes_.size() < sizeof(number)) return false;
    std::memcpy(&number, bytes_.data(), sizeof(number));
    bytes_.remove_prefix(sizeof(number));
    return true;
  }

  bool take(std::string& text) {
    std::uint32_t size = 0;
    if (!take(size) || size > ListedRequest::kMaxText || size > bytes_.size()) return false;
    text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }

 private:
  std::string_view bytes_;
};

bool take_stack(Reader& reader, std::vector<std::string>& stack) {
  std::uint32_t frames = 0;
  if (!reader.take(frames) || frames > ListedRequest::kMaxFrames) return false;
  for (; frames > 0; --frames) {
    if (!reader.take(stack.emplace_back())) return false;
  }
  return true;
}

bool take_request(Reader& reader, ListedRequest& request) {
  return reader.take(request.id) && reader.take(request.method) && reader.take(request.target) &&
         reader.take(request.state) && reader.take(request.no_stack) &&
         reader.take(request.age_ms) && reader.take(request.worker_pid) &&
         take_stack(reader, request.stack);
}

}  // namespace

EncodedList encode(const std::vector<ListedRequest>& requests, std::size_t limit) {
  EncodedList list;
  std::size_t stacks = 0;
  for (const ListedRequest& request : requests) {
    const std::string one = encode_one(request, stacks < kMaxListedStacks);
    if (!request.stack.empty()) ++stacks;
    if (list.requests == kMaxListed || one.size() > limit - list.bytes.size()) break;
    list.bytes += one;
    ++list.requests;
  }
  return list;
}

std::optional<std::vector<ListedRequest>> decode_list(std::string_view bytes) {
  if (bytes.size() > kMaxListBytes) return std::nullopt;
  std::vector<ListedRequest> requests;
  std::size_t stacks = 0;
  for (Reader reader(bytes); !reader.empty();) {
    if (requests.size() == kMaxListed) return std::nullopt;
    if (!take_request(reader, requests.emplace_back())) return std::nullopt;
    if (!requests.back().stack.empty() && ++stacks > kMaxListedStacks) return std::nullopt;
  }
  return requests;
}

}  // namespace viaduct::daemon::channel
