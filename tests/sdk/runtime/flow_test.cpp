#include <atomic>
#include <string>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

constexpr std::uint32_t kWindow = 256 * 1024;

using FlowTest = ModelTest;
INSTANTIATE_TEST_SUITE_P(Models, FlowTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(FlowTest, WriterStopsAtTheWindowAndGoesOnWithCredit) {
  std::atomic<std::size_t> written{0};
  constexpr std::size_t kTotal = 4 << 20;
  app.get("/", [&](Request&, Response& res) {
    const std::string chunk(32 * 1024, 'x');
    while (written < kTotal) {
      res.write(chunk);
      written += chunk.size();
    }
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(kWindow);
  peer.auto_credit = false;
  peer.begin(1, "GET", "/");
  peer.input_end(1);
  ASSERT_TRUE(peer.wait([&] { return peer.reply(1).output.size() == kWindow; }));
  peer.drain(std::chrono::milliseconds(50));
  EXPECT_EQ(peer.reply(1).output.size(), kWindow);
  EXPECT_LE(written, kWindow);
  peer.auto_credit = true;
  peer.grant(1, kWindow);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body().size(), kTotal);
}

TEST_P(FlowTest, BlockedWriterHoldsUpNobodyElse) {
  app.get("/big", [](Request&, Response& res) {
    const std::string chunk(64 * 1024, 'x');
    for (int i = 0; i < 64; ++i) res.write(chunk);
  });
  app.get("/small", [](Request&, Response& res) { res.send("small"); });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(kWindow);
  peer.auto_credit = false;
  for (protocol::RequestId id = 1; id <= 4; ++id) {
    peer.begin(id, "GET", "/big");
    peer.input_end(id);
  }
  ASSERT_TRUE(peer.wait([&] {
    for (protocol::RequestId id = 1; id <= 4; ++id) {
      if (peer.reply(id).output.size() < kWindow) return false;
    }
    return true;
  }));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(peer.get("/small").body(), "small");
}

TEST_P(FlowTest, WriterWithoutWindowWaitsForTheSocket) {
  std::atomic<std::size_t> written{0};
  constexpr std::size_t kTotal = 8 << 20;
  app.get("/", [&](Request&, Response& res) {
    const std::string chunk(32 * 1024, 'x');
    while (written < kTotal) {
      res.write(chunk);
      written += chunk.size();
    }
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.begin(1, "GET", "/");
  peer.input_end(1);
  peer.flush();
  // Nobody reads: what was written must come to rest below the socket's buffers and the cap.
  std::size_t before = 1;
  while (before != written || written == 0) {
    before = written;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_LT(written, 2U << 20);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body().size(), kTotal);
}

// A head with one field, of so many bytes in all.
void set_head(Response& res, std::size_t bytes) {
  constexpr std::string_view kRest =
      "Status: 200 OK\r\nX-Large: \r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
  res.headers().set("X-Large", std::string(bytes - kRest.size(), 'x'));
}

TEST_P(FlowTest, HeadUpToTheWindowIsSentAndOneBeyondIs500) {
  app.get("/{bytes:int}", [](Request& req, Response& res) {
    set_head(res, req.arg<std::size_t>("bytes"));
    res.flush();
    res.write("body");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(kWindow);
  for (const std::uint32_t bytes : {kWindow - 1, kWindow}) {
    const auto reply = peer.get('/' + std::to_string(bytes));
    EXPECT_EQ(reply.status(), 200);
    EXPECT_EQ(reply.head().size() + 4, bytes);
    EXPECT_EQ(reply.body(), "body");
  }
  EXPECT_EQ(lines().size(), 0U);
  const auto reply = peer.get('/' + std::to_string(kWindow + 1));
  EXPECT_EQ(reply.status(), 500);
  EXPECT_EQ(reply.body(), "Internal Server Error\n");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_NE(lines()[0].find("larger than the window of the link"), std::string::npos);
}

TEST_P(FlowTest, AsManyLargeHeadsAsHandlersHoldUpNobody) {
  constexpr std::size_t kHead = kWindow - 100;
  app.get("/large", [](Request&, Response& res) {
    set_head(res, kHead);
    res.write(std::string(100 * 1024, 'y'));
  });
  app.get("/small", [](Request&, Response& res) { res.send("small"); });
  const auto serving = serve(8);
  for (const bool window : {true, false}) {
    Peer peer(serving->address());
    if (window) peer.agree(kWindow);
    constexpr protocol::RequestId kCount = 24;
    for (protocol::RequestId id = 1; id <= kCount; ++id) {
      peer.begin(id, "GET", "/large");
      peer.input_end(id);
    }
    ASSERT_TRUE(peer.wait([&] { return peer.ended().size() == kCount; })) << window;
    for (protocol::RequestId id = 1; id <= kCount; ++id) {
      EXPECT_EQ(peer.reply(id).head().size() + 4, kHead);
      EXPECT_EQ(peer.reply(id).body().size(), 100U * 1024);
    }
    EXPECT_EQ(peer.get("/small").body(), "small");
  }
}

TEST_P(FlowTest, CreditForInputComesAsTheHandlerReads) {
  Flag go;
  app.post("/", [&](Request& req, Response& res) {
    blocking([&] { EXPECT_TRUE(go.wait()); });
    res.send(std::to_string(req.body().text(1 << 20).size()));
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(kWindow);
  peer.begin(1, "POST", "/");
  peer.input(1, std::string(kWindow, 'y'));
  peer.drain(std::chrono::milliseconds(50));
  EXPECT_EQ(peer.reply(1).credit, 0U);
  go.set();
  ASSERT_TRUE(peer.wait([&] { return peer.reply(1).credit == kWindow; }));
  peer.input(1, "end");
  peer.input_end(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), std::to_string(kWindow + 3));
}

TEST_P(FlowTest, MoreInputThanTheWindowClosesTheLink) {
  Flag go;
  app.post("/", [&](Request&, Response&) { blocking([&] { EXPECT_TRUE(go.wait()); }); });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(kWindow);
  peer.begin(1, "POST", "/");
  peer.input(1, std::string(kWindow + 1, 'y'));
  EXPECT_TRUE(peer.wait([&] { return peer.closed(); }));
  go.set();
}

TEST_P(FlowTest, CreditThatCannotBeClosesTheLink) {
  Flag begun;
  Flag go;
  app.post("/", [&](Request&, Response&) {
    begun.set();
    blocking([&] { EXPECT_TRUE(go.wait()); });
  });
  app.get("/small", [](Request&, Response& res) { res.send("small"); });
  const auto serving = serve(2);
  for (const bool waits : {false, true}) {
    for (const std::uint32_t credit : {0U, kWindow, UINT32_MAX}) {
      Peer bad(serving->address());
      bad.agree(kWindow);
      bad.begin(1, "POST", "/");
      if (!waits) {
        // In the same batch, so that no handler has it yet.
        bad.grant(1, credit);
        bad.flush();
      } else {
        bad.flush();
        ASSERT_TRUE(begun.wait());
        bad.grant(1, credit);
        bad.flush();
      }
      EXPECT_TRUE(bad.wait([&] { return bad.closed(); })) << waits << credit;
      if (waits) break;  // it holds its handler
    }
  }
  Peer peer(serving->address());
  EXPECT_EQ(peer.get("/small").body(), "small");
  go.set();
}

TEST_P(FlowTest, BodyWithoutWindowIsHeldBack) {
  Flag go;
  constexpr std::size_t kTotal = 16 << 20;
  std::atomic<std::size_t> read{0};
  app.post("/", [&](Request& req, Response& res) {
    blocking([&] { EXPECT_TRUE(go.wait()); });
    std::vector<char> piece(64 * 1024);
    while (const std::size_t got = req.body().read(std::span<char>(piece))) read += got;
    res.send("read");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  std::atomic<std::size_t> sent{0};
  std::thread sender([&] {
    const std::string piece(64 * 1024, 'z');
    peer.begin(1, "POST", "/");
    while (sent < kTotal) {
      peer.input(1, piece);
      peer.flush();
      sent += piece.size();
    }
    peer.input_end(1);
    peer.flush();
  });
  std::size_t before = 1;
  while (before != sent || sent == 0) {
    before = sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_LT(sent, 4U << 20);
  go.set();
  sender.join();
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(read, kTotal);
}

TEST_P(FlowTest, EchoesBothWaysAtOnce) {
  app.post("/", [](Request& req, Response& res) {
    std::vector<char> piece(10000);
    while (const std::size_t got = req.body().read(std::span<char>(piece))) {
      res.write(std::string_view(piece.data(), got));
    }
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(kWindow);
  std::string sent;
  peer.begin(1, "POST", "/");
  std::uint64_t budget = kWindow;
  while (sent.size() < (3U << 20)) {
    const std::string piece(16384, static_cast<char>('a' + sent.size() / 16384 % 26));
    ASSERT_TRUE(
        peer.wait([&] { return budget + peer.reply(1).credit >= sent.size() + piece.size(); }));
    peer.input(1, piece);
    sent += piece;
  }
  peer.input_end(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_TRUE(peer.reply(1).body() == sent);
}

TEST_P(FlowTest, BodyOverTheLimitOfTextIs413) {
  app.post("/", [](Request& req, Response& res) { res.send(req.body().text(10)); });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.request("POST", "/", std::string(9, 'x')).body(), std::string(9, 'x'));
  EXPECT_EQ(peer.request("POST", "/", std::string(10, 'x')).body(), std::string(10, 'x'));
  EXPECT_EQ(peer.request("POST", "/", std::string(11, 'x')).status(), 413);
  peer.begin(1, "POST", "/");  // without a length
  peer.input(1, std::string(11, 'x'));
  peer.input_end(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).status(), 413);
}

}  // namespace
}  // namespace viaduct::test
