#pragma once

#include <memory>
#include <string>

#include "tests/daemon/bridge/bridge_fixture.hpp"
#include "tests/daemon/bridge/byte_client.hpp"
#include "tests/support/scgi_bytes.hpp"
#include "tests/support/uwsgi_bytes.hpp"

namespace viaduct::daemon::bridge::testing {

/// The listeners of BridgeTest.
enum Listener : std::size_t { fastcgi = 0, scgi = 1, http = 2, uwsgi = 3 };

/// Clients that say exactly what they like in any protocol.
class AttackTest : public BridgeTest {
 protected:
  std::unique_ptr<ByteClient> attack(Listener listener, std::string_view bytes) {
    auto client = std::make_unique<ByteClient>(stage, socket_path(listener));
    client->raw(bytes);
    return client;
  }

  /// A request with these variables in a protocol other than HTTP; no body, no CONTENT_LENGTH but
  /// what they say.
  static std::string encode(Listener listener, const test::NameValues& variables) {
    switch (listener) {
      case scgi: {
        test::NameValues with = variables;
        with.emplace_back("SCGI", "1");
        return test::netstring(test::scgi_block(with));
      }
      case uwsgi:
        return test::uwsgi_packet(test::uwsgi_block(variables));
      default:
        return test::request(1, variables, "", 0);
    }
  }

  /// The status of the answer received so far; 0: there is none.
  static int status(const ByteClient& client) {
    for (const std::string_view mark : {"Status: ", "HTTP/1.1 "}) {
      const std::size_t at = client.received().find(mark);
      if (at != std::string::npos) return std::atoi(client.received().c_str() + at + mark.size());
    }
    return 0;
  }

  /// What a worker has is still served.
  void expect_service(FakeWorker& worker) {
    const auto client = connect();
    client->get(1, "/sound");
    const auto served = [&] {
      for (const auto& request : worker.requests) {
        if (request->link == nullptr) continue;
        if (request->aborted) request->end();
        if (request->param("REQUEST_URI") == "/sound") request->respond("sound");
      }
      return client->answer(1).ended;
    };
    until(served, "another client's answer");
    EXPECT_EQ(client->answer(1).body(), "sound");
  }
};

}  // namespace viaduct::daemon::bridge::testing
