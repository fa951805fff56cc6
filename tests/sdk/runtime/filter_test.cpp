#include <string>

#include "tests/sdk/runtime/model_test.hpp"

namespace viaduct::test {
namespace {

constexpr std::uint32_t kWindow = 256 * 1024;

// FastCGI 1.0 section 6.4: the body on STDIN, then the file on DATA.
class FilterTest : public ModelTest {
 protected:
  static void begin(Peer& peer, std::string_view data_length) {
    peer.begin_as(protocol::Role::filter, 1, "POST", "/", {{"FCGI_DATA_LENGTH", data_length}});
  }
};
INSTANTIATE_TEST_SUITE_P(Models, FilterTest, ::testing::Values(Model::threads, Model::fibers),
                         model_name);

TEST_P(FilterTest, BodyAndDataArrive) {
  app.post("/", [](Request& req, Response& res) {
    EXPECT_EQ(req.role(), Role::filter);
    EXPECT_EQ(req.data().length(), 4U);
    const std::string body = req.body().text();
    res.send(body + '|' + req.data().text());
  });
  const auto serving = serve();
  Peer peer(serving->address());
  begin(peer, "4");
  peer.input(1, "body");
  peer.input_end(1);
  peer.data(1, "fi");
  peer.data(1, "le");
  peer.data_end(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), "body|file");
}

TEST_P(FilterTest, DataIsReadAsItComes) {
  Flag first;
  app.post("/", [&](Request& req, Response& res) {
    std::array<char, 16> piece;
    EXPECT_EQ(req.data().read(std::span<char>(piece)), 1U);
    first.set();
    res.send(req.data().text());
  });
  const auto serving = serve();
  Peer peer(serving->address());
  begin(peer, "");
  peer.input_end(1);
  peer.data(1, "1");
  peer.flush();
  ASSERT_TRUE(first.wait());
  peer.data(1, "2345");
  peer.data_end(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), "2345");
}

// Both share one window: without credit for what nobody reads the data would never come.
TEST_P(FilterTest, UnreadBodyDoesNotHoldUpTheData) {
  app.post("/", [](Request& req, Response& res) {
    std::vector<char> piece(64 * 1024);
    std::size_t size = 0;
    while (const std::size_t got = req.data().read(std::span<char>(piece))) size += got;
    EXPECT_EQ(req.body().text(), "");
    res.send(std::to_string(size));
  });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(kWindow);
  begin(peer, std::to_string(3 * kWindow));
  peer.input(1, std::string(kWindow, 'b'));
  std::uint64_t sent = kWindow;
  const auto may_send = [&](std::uint64_t bytes) {
    return peer.wait([&] { return kWindow + peer.reply(1).credit >= sent + bytes; });
  };
  ASSERT_TRUE(may_send(kWindow));
  peer.input_end(1);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(may_send(kWindow)) << i;
    peer.data(1, std::string(kWindow, 'd'));
    sent += kWindow;
  }
  peer.data_end(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_EQ(peer.reply(1).body(), std::to_string(3 * kWindow));
}

TEST_P(FilterTest, MoreDataThanTheWindowClosesTheLink) {
  Flag go;
  app.post("/", [&](Request&, Response&) { blocking([&] { EXPECT_TRUE(go.wait()); }); });
  const auto serving = serve();
  Peer peer(serving->address());
  peer.agree(kWindow);
  begin(peer, "");
  peer.input_end(1);
  peer.data(1, std::string(kWindow + 1, 'd'));
  EXPECT_TRUE(peer.wait([&] { return peer.closed(); }));
  go.set();
}

TEST_P(FilterTest, DataOfAnotherLengthThanAnnouncedIsBroken) {
  Flag threw;
  app.post("/", [&](Request& req, Response&) {
    EXPECT_THROW((void)req.data().text(), client_gone);
    threw.set();
    throw http_error(400, "broken");
  });
  const auto serving = serve();
  Peer peer(serving->address());
  for (const std::string_view data : {"", "fil", "file!"}) {
    begin(peer, "4");
    peer.input_end(1);
    if (!data.empty()) peer.data(1, data);
    peer.data_end(1);
    ASSERT_TRUE(peer.wait_end(1));
    EXPECT_EQ(peer.reply(1).status(), 400) << data;
  }
  EXPECT_TRUE(threw.is_set());
}

TEST_P(FilterTest, AbortEndsAReadOfData) {
  Flag reading;
  Flag threw;
  app.post("/", [&](Request& req, Response&) {
    reading.set();
    EXPECT_THROW((void)req.data().text(), client_gone);
    threw.set();
  });
  const auto serving = serve();
  Peer peer(serving->address());
  begin(peer, "");
  peer.input_end(1);
  peer.data(1, "file");
  peer.flush();
  ASSERT_TRUE(reading.wait());
  peer.abort(1);
  ASSERT_TRUE(peer.wait_end(1));
  EXPECT_TRUE(threw.wait());
}

TEST_P(FilterTest, DataThatIsNotReadHarmsNobody) {
  app.post("/", [](Request& req, Response& res) { res.send(req.body().text()); });
  const auto serving = serve();
  Peer peer(serving->address());
  for (int i = 0; i < 3; ++i) {
    begin(peer, "4");
    peer.input(1, "body");
    peer.input_end(1);
    ASSERT_TRUE(peer.wait_end(1));
    EXPECT_EQ(peer.reply(1).body(), "body");
    peer.data(1, "file");  // late: its request has ended
    peer.data_end(1);
  }
}

TEST_P(FilterTest, OtherRolesHaveNoData) {
  app.post("/", [](Request& req, Response& res) {
    EXPECT_EQ(req.data().length(), 0U);
    EXPECT_EQ(req.data().text(), "");
    res.send(req.body().text());
  });
  const auto serving = serve();
  Peer peer(serving->address());
  EXPECT_EQ(peer.request("POST", "/", "body").body(), "body");
}

}  // namespace
}  // namespace viaduct::test
