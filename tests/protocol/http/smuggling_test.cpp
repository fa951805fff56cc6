// Requests in which others, in front of the codec or behind it, would read different requests.
// tests/daemon/bridge/smuggling_test.cpp sends the same to a listener.

#include "tests/support/smuggling.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "protocol/refusal.hpp"
#include "tests/support/http_trace.hpp"

namespace viaduct::protocol::http {
namespace {

using test::Smuggling;

// What an application would see that answers every request once its body is complete.
class Application {
 public:
  void take(protocol::ServerCodec& codec, const Event& event) {
    switch (event.kind) {
      case Event::Kind::request:
        head_ = std::move(*event.head);
        requests_.push_back(variable("REQUEST_METHOD") + " " + variable("REQUEST_URI") + " ");
        complete_ = false;
        break;
      case Event::Kind::body:
        requests_.back() += as_text(event.bytes);
        break;
      case Event::Kind::body_end:
        complete_ = true;
        answer(codec, event.id, 200);
        break;
      case Event::Kind::abort:
      case Event::Kind::refused:
        answer(codec, event.id, refusal_status(event.error));
        break;
      default:
        ADD_FAILURE() << "an event that HTTP does not have";
    }
  }

  // The row that this would be.
  [[nodiscard]] Smuggling seen(const Smuggling& row, bool closing) const {
    Smuggling result{row.name, row.bytes, requests_, closing ? status_ : 0};
    if (!complete_) result.requests.back() += "...";
    for (const std::string& wanted : row.variables) {
      const std::string name = wanted.substr(wanted[0] == '!' ? 1 : 0, wanted.find('='));
      const auto value = head_.params.get(name);
      result.variables.push_back(value ? name + "=" + std::string(*value) : "!" + name);
    }
    return result;
  }

 private:
  std::string variable(std::string_view name) const {
    return std::string(head_.params.get(name).value_or("?"));
  }
  void answer(protocol::ServerCodec& codec, RequestId id, int status) {
    status_ = status;
    ResponseHead head;
    head.status = status;
    head.content_length = 0;
    codec.head(id, head);
    codec.end(id);
  }

  std::vector<std::string> requests_;
  RequestHead head_;
  bool complete_ = true;
  int status_ = 0;
};

std::string show(const Smuggling& row) {
  std::string text = row.name + "\n";
  for (const std::string& request : row.requests) text += "request " + test::show(request) + "\n";
  for (const std::string& variable : row.variables) text += test::show(variable) + "\n";
  return text + "closed with " + std::to_string(row.closed_with) + "\n";
}

TEST(HttpSmuggling, TheApplicationSeesTheExpectedRequestsAndNoOthers) {
  for (const Smuggling& row : test::smuggling_table()) {
    const auto once = [&](const std::vector<std::string_view>& pieces) {
      ServerCodec codec({});
      Application application;
      test::trace(codec, pieces, [&](protocol::ServerCodec& server, const Event& event) {
        application.take(server, event);
      });
      return show(application.seen(row, codec.closing()));
    };
    EXPECT_EQ(test::detail::trace_at_every_split(once, row.bytes), show(row));
  }
}

TEST(HttpSmuggling, TableIsAsLargeAsItClaims) {
  std::set<std::string> names;
  std::set<std::string> bytes;
  for (const Smuggling& row : test::smuggling_table()) {
    names.insert(row.name);
    bytes.insert(row.bytes);
  }
  EXPECT_EQ(names.size(), test::smuggling_table().size());
  EXPECT_EQ(bytes.size(), test::smuggling_table().size());
  EXPECT_GE(bytes.size(), 60u);
}

}  // namespace
}  // namespace viaduct::protocol::http
