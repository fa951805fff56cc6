#include "tests/sdk/support/call.hpp"

#include <algorithm>
#include <cstring>

#include "sdk/src/dispatcher.hpp"

namespace viaduct::test {
namespace {

class Input final : public detail::BodySource {
 public:
  Input(std::string_view bytes, bool length_known) : bytes_(bytes) {
    if (length_known) length_ = bytes.size();
  }
  [[nodiscard]] std::optional<std::uint64_t> length() const override { return length_; }
  std::size_t read(std::span<std::byte> into) override {
    const std::size_t count = std::min(into.size(), bytes_.size());
    std::memcpy(into.data(), bytes_.data(), count);
    bytes_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view bytes_;
  std::optional<std::uint64_t> length_;
};

class Control final : public detail::RequestControl {
 public:
  [[nodiscard]] std::stop_token stop() override { return {}; }
  [[nodiscard]] bool draining() const override { return false; }
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const override {
    return std::chrono::steady_clock::time_point::max();
  }
};

class Output final : public detail::ResponseSink {
 public:
  void whole(const protocol::ResponseHead& response_head, protocol::Bytes bytes) override {
    head(response_head);
    body(bytes);
  }
  void head(const protocol::ResponseHead& response_head) override {
    result.status = response_head.status;
    for (const auto [name, value] : response_head.fields) result.fields.emplace_back(name, value);
  }
  void body(protocol::Bytes bytes) override { result.body += protocol::as_text(bytes); }
  void flush() override {}
  void end() override {}
  void fail() override { result.broken = true; }
  void stay_open(std::chrono::milliseconds interval, std::string_view) override {
    result.heartbeat = interval;
  }

  Answer result;
};

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

}  // namespace

std::vector<std::string> Answer::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [known, value] : fields) {
    if (same_name(known, name)) values.push_back(value);
  }
  return values;
}

std::optional<std::string> Answer::field(std::string_view name) const {
  const std::vector<std::string> values = all(name);
  if (values.empty()) return std::nullopt;
  return values.front();
}

Answer answer(const App& app, const Call& call) {
  Input input(call.body, call.length_known);
  Control control;
  Output output;
  detail::RequestState state(input, control);
  detail::ResponseState response(output);
  protocol::RequestHead head;
  head.params.add("REQUEST_METHOD", call.method);
  head.params.add("REQUEST_URI", call.target);
  const std::size_t query = call.target.find('?');
  if (query != std::string::npos) {
    head.params.add("QUERY_STRING", std::string_view(call.target).substr(query + 1));
  }
  for (const auto& [name, value] : call.variables) head.params.add(name, value);
  state.begin(head);
  Request request(state);
  detail::Dispatcher(app).serve(state, request, response);
  state.finish();
  return output.result;
}

}  // namespace viaduct::test
