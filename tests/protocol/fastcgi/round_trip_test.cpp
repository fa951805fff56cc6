// The client codec and the server codec against each other, over a wire that cuts bytes as it
// likes.

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/cgi_head.hpp"
#include "protocol/fastcgi/client_codec.hpp"
#include "protocol/fastcgi/flow_control.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

// What the client learnt of one request.
struct Answer {
  std::string output;
  std::string errors;
  bool output_ended = false;
  bool ended = false;
  std::uint32_t app_status = 0;
  ProtocolStatus protocol_status = ProtocolStatus::request_complete;
};

// Two codecs and a wire. Tests give the server's behaviour in `serve`.
class Wire {
 public:
  explicit Wire(const ServerOptions& options = {}, unsigned seed = 1)
      : server(options), random_(seed) {}

  // Carries bytes both ways until both sides are silent.
  void run() {
    while (!client.output().empty() || !server.output().empty()) {
      carry(client.output(), server, [this](const Event& event) { serve(event); });
      carry(server.output(), client, [this](const ClientEvent& event) { hear(event); });
    }
  }

  ClientCodec client;
  ServerCodec server;
  std::function<void(const Event&)> serve;
  std::function<void(const ClientEvent&)> on_credit;
  std::map<RequestId, Answer> answers;
  std::optional<Values> values;

 private:
  template <class Codec, class OnEvent>
  void carry(Output& from, Codec& to, OnEvent on_event) {
    from.settle();
    const std::string bytes = test::drain(from);
    Bytes left = as_bytes(bytes);
    while (!left.empty()) {
      const std::size_t size = std::min<std::size_t>(1 + random_() % 9000, left.size());
      Bytes piece = left.first(size);
      while (!piece.empty()) {
        piece = piece.subspan(to.feed(piece));
        for (auto event = to.next(); event.kind != decltype(event.kind)::none; event = to.next()) {
          on_event(event);
        }
        ASSERT_EQ(to.error(), Errc::ok);
      }
      left = left.subspan(size);
    }
    to.output().settle();
  }

  void hear(const ClientEvent& event) {
    Answer& answer = answers[event.id];
    switch (event.kind) {
      case ClientEvent::Kind::output:
        answer.output += as_text(event.bytes);
        break;
      case ClientEvent::Kind::output_end:
        answer.output_ended = true;
        break;
      case ClientEvent::Kind::errors:
        answer.errors += as_text(event.bytes);
        break;
      case ClientEvent::Kind::end:
        answer.ended = true;
        answer.app_status = event.app_status;
        answer.protocol_status = event.protocol_status;
        break;
      case ClientEvent::Kind::values:
        values = event.values;
        break;
      case ClientEvent::Kind::credit:
        on_credit(event);
        break;
      case ClientEvent::Kind::trace:
      case ClientEvent::Kind::none:
        break;
    }
  }

  std::mt19937 random_;
};

Pairs params_of(const std::string& query, std::optional<std::size_t> length = {}) {
  Pairs params;
  params.add("QUERY_STRING", query);
  params.add("CONTENT_LENGTH", length ? std::to_string(*length) : "");
  return params;
}

// Echoes the query in a field and all input in the body.
void echo(ServerCodec& server, const Event& event) {
  switch (event.kind) {
    case Event::Kind::request: {
      ResponseHead head;
      head.fields.add("X-Query", event.head->params.get("QUERY_STRING").value_or("none"));
      server.head(event.id, head);
      break;
    }
    case Event::Kind::body:
    case Event::Kind::data:
      server.body(event.id, event.bytes);
      break;
    case Event::Kind::body_end:
      server.errors(event.id, as_bytes("read"));
      break;
    default:
      FAIL() << static_cast<int>(event.kind);
  }
}

std::string echoed(const std::string& query, const std::string& body) {
  return "Status: 200 OK\r\nX-Query: " + query + "\r\n\r\n" + body;
}

TEST(RoundTrip, InterleavedRequestsAreAnsweredEachByItsId) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    Wire wire({}, seed);
    wire.serve = [&](const Event& event) {
      echo(wire.server, event);
      if (event.kind == Event::Kind::body_end) wire.server.end(event.id, 7);
    };
    const std::string half(70000, 'x');
    const RequestId ids[] = {1, 2, 300, 65535};
    for (const RequestId id : ids) {
      wire.client.begin(id, Role::responder, true);
      wire.client.params(id, params_of("id=" + std::to_string(id), 2 * half.size()));
    }
    for (int i = 0; i < 2; ++i) {
      for (const RequestId id : ids) wire.client.input(id, as_bytes(half));
    }
    for (const RequestId id : ids) wire.client.input_end(id);
    wire.run();
    for (const RequestId id : ids) {
      const Answer& answer = wire.answers[id];
      EXPECT_EQ(answer.output, echoed("id=" + std::to_string(id), half + half));
      EXPECT_EQ(answer.errors, "read");
      EXPECT_TRUE(answer.output_ended && answer.ended);
      EXPECT_EQ(answer.app_status, 7u);
    }
    EXPECT_TRUE(wire.server.multiplexed());
    EXPECT_TRUE(wire.server.idle());
    EXPECT_FALSE(wire.server.closing());
  }
}

TEST(RoundTrip, BodiesOfEveryCriticalLength) {
  Wire wire;
  wire.serve = [&](const Event& event) {
    echo(wire.server, event);
    if (event.kind == Event::Kind::body_end) wire.server.end(event.id, 0);
  };
  for (const std::size_t size : {0, 1, 7, 8, 65527, 65528, 65529, 65535, 65536, 99000, 1000000}) {
    const std::string body(size, 'b');
    wire.client.begin(1, Role::responder, true);
    wire.client.params(1, params_of("q", size));
    wire.client.input(1, as_bytes(body));
    wire.client.input_end(1);
    wire.answers.clear();
    wire.run();
    EXPECT_EQ(test::show(wire.answers[1].output), test::show(echoed("q", body))) << size;
    EXPECT_TRUE(wire.answers[1].ended);
  }
  EXPECT_FALSE(wire.server.multiplexed());
}

TEST(RoundTrip, FilterAndAuthorizer) {
  Wire wire;
  wire.serve = [&](const Event& event) {
    if (event.kind == Event::Kind::data_end) return wire.server.end(event.id, 0);
    echo(wire.server, event);
    if (event.kind == Event::Kind::body_end && event.id == 2) wire.server.end(2, 0);
  };
  wire.client.begin(1, Role::filter, true);
  wire.client.params(1, params_of("f"));
  wire.client.input(1, as_bytes("in,"));
  wire.client.input_end(1);
  wire.client.data(1, as_bytes("data"));
  wire.client.data_end(1);
  wire.client.begin(2, Role::authorizer, true);
  wire.client.params(2, params_of("a"));
  wire.run();
  EXPECT_EQ(wire.answers[1].output, echoed("f", "in,data"));
  EXPECT_EQ(wire.answers[2].output, echoed("a", ""));
  EXPECT_TRUE(wire.answers[1].ended && wire.answers[2].ended);
}

TEST(RoundTrip, VariablesLongerThanARecord) {
  Wire wire({.limits = {.params = 1 << 20, .value = 1 << 20}});
  std::vector<std::size_t> sizes;
  wire.serve = [&](const Event& event) {
    if (event.kind != Event::Kind::request) return;
    for (const auto [name, value] : event.head->params) sizes.push_back(value.size());
    wire.server.end(event.id, 0);
  };
  Pairs params;
  const std::vector<std::size_t> sent{3, 65522, 65523, 65524, 65525, 65536, 200000, 0, 127, 128};
  for (std::size_t i = 0; i < sent.size(); ++i) {
    params.add("NAME_" + std::to_string(i), std::string(sent[i], 'v'));
  }
  wire.client.begin(1, Role::responder, true);
  wire.client.params(1, params);
  wire.run();
  EXPECT_EQ(sizes, sent);
}

TEST(RoundTrip, AbortOverloadAndFailure) {
  Wire wire({.window = 32768});
  wire.serve = [&](const Event& event) {
    if (event.kind == Event::Kind::abort) wire.server.end(event.id, 9);
    if (event.kind == Event::Kind::body_end && event.id == 2) wire.server.overloaded(2);
    if (event.kind == Event::Kind::body_end && event.id == 3) {
      wire.server.head(3, {});
      wire.server.fail(3);
    }
  };
  wire.client.get_values(32768);
  wire.run();
  for (const RequestId id : {1, 2, 3}) {
    wire.client.begin(id, Role::responder, true);
    wire.client.params(id, params_of("x"));
  }
  wire.client.abort(1);
  wire.client.input_end(2);
  wire.client.input_end(3);
  wire.run();
  EXPECT_EQ(wire.answers[1].app_status, 9u);
  EXPECT_EQ(wire.answers[2].protocol_status, ProtocolStatus::overloaded);
  EXPECT_EQ(wire.answers[2].output, "");
  EXPECT_EQ(wire.answers[3].app_status, 1u);
  EXPECT_FALSE(wire.answers[3].output_ended);
  for (const RequestId id : {1, 2, 3}) EXPECT_TRUE(wire.answers[id].ended);
}

TEST(RoundTrip, FailureOfASingleRequestBreaksTheConnection) {
  ServerCodec server({});
  ClientCodec client;
  client.begin(1, Role::responder, true);
  client.params(1, {});
  const std::string request = test::drain(client.output());
  server.feed(as_bytes(request));
  EXPECT_EQ(server.next().kind, Event::Kind::request);
  server.fail(1);
  const std::string answer = test::drain(server.output());
  client.feed(as_bytes(answer));
  EXPECT_EQ(client.error(), Errc::bad_version);
}

TEST(RoundTrip, ValuesAndWindowAreExchanged) {
  Wire wire({.max_conns = 3, .max_reqs = 1000, .multiplex = true, .window = 65536});
  std::uint32_t window = 0;
  wire.serve = [&](const Event& event) {
    ASSERT_EQ(event.kind, Event::Kind::window);
    window = event.count;
  };
  wire.client.get_values(32768);
  wire.run();
  ASSERT_TRUE(wire.values);
  EXPECT_EQ(wire.values->max_reqs, 1000u);
  EXPECT_EQ(wire.values->multiplexes, true);
  EXPECT_EQ(wire.values->window, 65536u);
  EXPECT_EQ(window, 32768u);
}

// An upload under flow control: never more than a window under way, and it always goes on.
TEST(RoundTrip, CreditCarriesAnUploadOfManyWindows) {
  constexpr std::uint32_t kWindow = 20000;
  Wire wire({.window = kWindow});
  ReceiveCredit receiver(kWindow);
  SendCredit sender(kWindow);
  std::size_t received = 0;
  wire.serve = [&](const Event& event) {
    if (event.kind == Event::Kind::body_end) return wire.server.end(event.id, 0);
    if (event.kind != Event::Kind::body) return;
    const auto size = static_cast<std::uint32_t>(event.bytes.size());
    received += size;
    ASSERT_TRUE(receiver.received(size));
    receiver.passed_on(size);
    if (const std::uint32_t due = receiver.take_due()) wire.server.credit(event.id, due);
  };
  wire.on_credit = [&](const ClientEvent& event) { ASSERT_TRUE(sender.grant(event.count)); };
  wire.client.get_values(kWindow);
  wire.run();
  const std::string body(10 * kWindow + 7, 'u');
  wire.client.begin(1, Role::responder, true);
  wire.client.params(1, params_of("u", body.size()));
  Bytes left = as_bytes(body);
  while (!left.empty()) {
    const auto size =
        static_cast<std::uint32_t>(std::min<std::size_t>(sender.available(), left.size()));
    ASSERT_GT(size, 0u);
    sender.spend(size);
    wire.client.input(1, left.first(size));
    left = left.subspan(size);
    wire.run();
  }
  wire.client.input_end(1);
  wire.run();
  EXPECT_EQ(received, body.size());
  EXPECT_TRUE(wire.answers[1].ended);
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
