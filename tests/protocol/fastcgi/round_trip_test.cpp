// The client codec and the server codec against each other.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/cgi_head.hpp"
#include "protocol/fastcgi/client_codec.hpp"
#include "protocol/fastcgi/server_codec.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

std::string drain(Output& output) {
  std::string bytes;
  std::vector<Bytes> pieces(3);
  while (!output.empty()) {
    const std::size_t filled = output.gather(pieces);
    std::size_t size = 0;
    for (std::size_t i = 0; i < filled; ++i) {
      bytes += as_text(pieces[i]);
      size += pieces[i].size();
    }
    output.consume(size);
  }
  return bytes;
}

// A server that answers each request with its query string and its body.
class EchoLink {
 public:
  explicit EchoLink(const ServerOptions& options) : server_(options) {}

  ClientCodec& client() { return client_; }
  ServerCodec& server() { return server_; }

  // Carries bytes both ways until both are silent.
  void run() {
    while (!client_.output().empty() || !server_.output().empty()) {
      const std::string to_server = drain(client_.output());
      for (Bytes bytes = as_bytes(to_server); !bytes.empty();) {
        bytes = bytes.subspan(server_.feed(bytes));
        while (true) {
          const Event event = server_.next();
          if (event.kind == Event::Kind::none) break;
          serve(event);
        }
        ASSERT_EQ(server_.error(), Errc::ok);
      }
      server_.output().settle();
      const std::string to_client = drain(server_.output());
      for (Bytes bytes = as_bytes(to_client); !bytes.empty();) {
        bytes = bytes.subspan(client_.feed(bytes));
        while (true) {
          const ClientEvent event = client_.next();
          if (event.kind == ClientEvent::Kind::none) break;
          hear(event);
        }
        ASSERT_EQ(client_.error(), Errc::ok);
      }
    }
  }

  std::string answers[8];
  std::string errors[8];
  int ended = 0;
  std::optional<Values> values;
  std::uint32_t window = 0;

 private:
  void serve(const Event& event) {
    switch (event.kind) {
      case Event::Kind::request: {
        ResponseHead head;
        head.fields.add("Content-Type", "text/plain");
        head.fields.add("X-Query", event.head->params.get("QUERY_STRING").value_or("none"));
        server_.head(event.id, head);
        break;
      }
      case Event::Kind::body:
        server_.body(event.id, event.bytes);
        break;
      case Event::Kind::body_end:
        server_.errors(event.id, as_bytes("done"));
        server_.end(event.id, 7);
        break;
      case Event::Kind::window:
        window = event.count;
        break;
      default:
        FAIL() << static_cast<int>(event.kind);
    }
  }

  void hear(const ClientEvent& event) {
    switch (event.kind) {
      case ClientEvent::Kind::output:
        answers[event.id] += as_text(event.bytes);
        break;
      case ClientEvent::Kind::errors:
        errors[event.id] += as_text(event.bytes);
        break;
      case ClientEvent::Kind::output_end:
        break;
      case ClientEvent::Kind::values:
        values = event.values;
        break;
      case ClientEvent::Kind::end:
        ++ended;
        EXPECT_EQ(event.app_status, 7u);
        EXPECT_EQ(event.protocol_status, ProtocolStatus::request_complete);
        break;
      default:
        FAIL() << static_cast<int>(event.kind);
    }
  }

  ClientCodec client_;
  ServerCodec server_;
};

TEST(RoundTrip, InterleavedRequestsAreAnsweredEachByItsId) {
  EchoLink link({});
  for (const RequestId id : {1, 2, 5}) {
    Pairs params;
    params.add("QUERY_STRING", "id=" + std::to_string(id));
    params.add("CONTENT_LENGTH", id == 5 ? "" : "200000");
    link.client().begin(id, Role::responder, true);
    link.client().params(id, params);
  }
  const std::string half(100000, 'x');
  for (int i = 0; i < 2; ++i) {
    for (const RequestId id : {1, 2}) link.client().input(id, as_bytes(half));
  }
  for (const RequestId id : {1, 2, 5}) link.client().input_end(id);
  link.run();
  EXPECT_EQ(link.ended, 3);
  for (const RequestId id : {1, 2, 5}) {
    const std::string head =
        "Status: 200 OK\r\nContent-Type: text/plain\r\nX-Query: id=" + std::to_string(id) +
        "\r\n\r\n";
    EXPECT_EQ(link.answers[id], head + (id == 5 ? "" : half + half));
    EXPECT_EQ(link.errors[id], "done");
  }
  EXPECT_TRUE(link.server().multiplexed());
  EXPECT_TRUE(link.server().idle());
  EXPECT_FALSE(link.server().closing());
}

TEST(RoundTrip, ValuesAndWindowAreExchanged) {
  EchoLink link({.max_conns = 3, .max_reqs = 1000, .multiplex = true, .window = 65536});
  link.client().get_values(32768);
  link.run();
  ASSERT_TRUE(link.values);
  EXPECT_EQ(link.values->max_reqs, 1000u);
  EXPECT_EQ(link.values->multiplexes, true);
  EXPECT_EQ(link.values->window, 65536u);
  EXPECT_EQ(link.window, 32768u);
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
