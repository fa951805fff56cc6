// Every example as a program of its own, under both models: it serves, and drains on SIGTERM.
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "tests/sdk/support/child_process.hpp"
#include "tests/sdk/support/peer.hpp"

namespace viaduct::test {
namespace {

using ::testing::MatchesRegex;

std::vector<std::filesystem::path> programs() {
  std::vector<std::filesystem::path> all;
  std::istringstream list(EXAMPLE_PROGRAMS);
  for (std::string path; std::getline(list, path, ':');) all.emplace_back(path);
  return all;
}

void hello(Peer& peer) {
  EXPECT_EQ(peer.get("/").body(), "Hello, world\n");
  EXPECT_EQ(peer.get("/nowhere").status(), 404);
}

// Each of its forms, the large ones beyond every buffer on the way.
void stream(Peer& peer) {
  peer.agree(64 * 1024);
  EXPECT_EQ(peer.get("/bytes/30").body(), "abcdefghijklmnopqrstuvwxyzabcd");
  EXPECT_EQ(peer.get("/bytes/0").body(), "");
  const auto large = peer.get("/bytes/3000000");
  ASSERT_EQ(large.body().size(), 3000000U);
  for (std::size_t i = 0; i < large.body().size(); ++i) {
    ASSERT_EQ(large.body()[i], static_cast<char>('a' + i % 26)) << "byte " << i;
  }
  peer.begin(500, "GET", "/endless");
  peer.input_end(500);
  ASSERT_TRUE(peer.wait([&] { return peer.reply(500).output.size() > 1000000; }));
  peer.abort(500);
  EXPECT_TRUE(peer.wait_end(500));
}

void upload(Peer& peer) {
  const auto reply = peer.request("POST", "/upload", "abc");
  EXPECT_EQ(reply.status(), 201);
  EXPECT_THAT(
      std::string(reply.body()),
      MatchesRegex(
          "3 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad upload-.*\n"));
}

// Who names no role asks as a web server would that serves the page itself.
void gate(Peer& peer) {
  EXPECT_EQ(peer.get("/").status(), 401);
  EXPECT_EQ(peer.get("/", {{"HTTP_AUTHORIZATION", "Basic YW5uOnNlY3JldA=="}}).status(), 200);
}

// Written into the folder that an example starts in.
const std::map<std::string, std::pair<const char*, const char*>> kFiles = {
    {"gate",
     {"gate.users",
      "ann:$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN."
      "Pq.H91p5hVO1\n"}}};

// What is not listed here is asked for its first page.
void first_page(Peer& peer) {
  const auto reply = peer.get("/");
  EXPECT_GE(reply.status(), 200);
  EXPECT_LT(reply.status(), 500);
}

const std::map<std::string, std::function<void(Peer&)>> kVisits = {
    {"gate", gate}, {"hello", hello}, {"stream", stream}, {"upload", upload}};

class ExamplesTest
    : public ::testing::TestWithParam<std::tuple<std::filesystem::path, const char*>> {};
INSTANTIATE_TEST_SUITE_P(All, ExamplesTest,
                         ::testing::Combine(::testing::ValuesIn(programs()),
                                            ::testing::Values("threads", "fibers")),
                         [](const auto& test) {
                           return std::get<0>(test.param).filename().string() + "_" +
                                  std::get<1>(test.param);
                         });

TEST_P(ExamplesTest, ServesAndDrains) {
  const auto& [program, model] = GetParam();
  char directory[] = "/tmp/viaduct-example-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  if (const auto file = kFiles.find(program.filename()); file != kFiles.end()) {
    std::ofstream(std::filesystem::path(directory) / file->second.first) << file->second.second;
  }
  const std::string address = unused_address();
  {
    ChildProcess child(program, {"--fastcgi", address, "--model", model}, [&directory] {
      // Whatever it writes goes there.
      if (::chdir(directory) != 0) ::_exit(1);
      ::setenv("TMPDIR", directory, 1);
      ::setenv("ADMIN_PASSWORD", "secret", 1);  // compose
    });
    const auto peer = connect_soon(address);
    ASSERT_TRUE(peer);
    const auto visit = kVisits.find(program.filename());
    (visit != kVisits.end() ? visit->second : first_page)(*peer);
    child.signal(SIGTERM);
    EXPECT_EQ(child.wait(), 0) << child.errors();
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace viaduct::test
