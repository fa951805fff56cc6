#include "daemon/tool/command_line.hpp"

#include <map>
#include <set>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

namespace viaduct::daemon::tool {
namespace {

struct Place {
  std::map<std::string, std::string> variables;
  std::set<std::string> files;
  bool root = true;

  Surroundings surroundings() const {
    return {[this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables.find(name);
              if (found == variables.end()) return std::nullopt;
              return found->second;
            },
            [this](const std::string& path) { return files.contains(path); }, root};
  }
};

class CommandLineTest : public ::testing::Test {
 protected:
  std::variant<CommandLine, ExitStatus> run(std::vector<const char*> words) {
    words.insert(words.begin(), "viaduct");
    out.str("");
    err.str("");
    return parse(static_cast<int>(words.size()), words.data(), place.surroundings(), out, err);
  }
  CommandLine line(std::vector<const char*> words) {
    const auto parsed = run(std::move(words));
    const auto* result = std::get_if<CommandLine>(&parsed);
    EXPECT_NE(result, nullptr) << err.str();
    return result == nullptr ? CommandLine{} : *result;
  }

  Place place;
  std::ostringstream out;
  std::ostringstream err;
};

TEST_F(CommandLineTest, EveryCommandIsOneRequest) {
  struct Row {
    std::vector<const char*> words;
    Question question;
  };
  const Row rows[] = {
      {{"status"}, {"GET", "/v1/status", ""}},
      {{"requests", "shop"}, {"GET", "/v1/apps/shop/requests", ""}},
      {{"requests", "shop", "--stacks"}, {"GET", "/v1/apps/shop/requests?stacks=true", ""}},
      {{"requests", "--stacks", "shop"}, {"GET", "/v1/apps/shop/requests?stacks=true", ""}},
      {{"reload"}, {"POST", "/v1/reload", ""}},
      {{"reload", "--keep-going"}, {"POST", "/v1/reload", "{\"keep_going\":true}"}},
      {{"reload", "shop"}, {"POST", "/v1/apps/shop/reload", ""}},
      {{"restart", "shop_2-x"}, {"POST", "/v1/apps/shop_2-x/restart", ""}},
      {{"scale", "shop", "0"}, {"POST", "/v1/apps/shop/scale", "{\"workers\":0}"}},
      {{"scale", "shop", "1"}, {"POST", "/v1/apps/shop/scale", "{\"workers\":1}"}},
      {{"scale", "shop", "1024"}, {"POST", "/v1/apps/shop/scale", "{\"workers\":1024}"}},
      {{"drain"}, {"POST", "/v1/drain", ""}},
      {{"stop"}, {"POST", "/v1/stop", ""}},
      {{"reopen"}, {"POST", "/v1/reopen", ""}},
      {{"upgrade"}, {"POST", "/v1/upgrade", ""}},
  };
  for (const Row& row : rows) {
    const CommandLine parsed = line(row.words);
    EXPECT_EQ(parsed.question, row.question) << row.words.front();
    const bool ends = row.question.target == "/v1/drain" || row.question.target == "/v1/stop";
    EXPECT_EQ(parsed.until_closed, ends);
    EXPECT_EQ(parsed.timeout.count(), row.question.method == "GET" ? 30'000 : 0);
    EXPECT_FALSE(parsed.json);
  }
}

TEST_F(CommandLineTest, OptionsStandBeforeOrBehindTheCommand) {
  for (const auto& words :
       {std::vector<const char*>{"--json", "--timeout", "5s", "--control", "unix:/a", "status"},
        std::vector<const char*>{"status", "--json", "--timeout=5s", "--control", "/a"}}) {
    const CommandLine parsed = line(words);
    EXPECT_TRUE(parsed.json);
    EXPECT_EQ(parsed.timeout.count(), 5000);
    EXPECT_EQ(config::format(parsed.control), "unix:/a");
  }
  EXPECT_EQ(line({"status", "--timeout", "0"}).timeout.count(), 0);
}

TEST_F(CommandLineTest, MistakesAreUsageErrorsWithAReason) {
  const std::vector<std::vector<const char*>> rows = {
      {},
      {"nonsense"},
      {"status", "more"},
      {"status", "reload"},
      {"restart"},
      {"restart", "../shop"},
      {"restart", "shop", "--keep-going"},
      {"reload", "../shop"},
      {"reload", "shop", "blog"},
      {"reload", "shop", "--keep-going"},
      {"reload", "--keep-going", "shop"},
      {"restart", "shop", "blog"},
      {"scale", "shop"},
      {"scale", "shop", "1025"},
      {"scale", "shop", "-1"},
      {"scale", "shop", "many"},
      {"--nonsense", "status"},
      {"--stacks", "requests", "shop"},
      {"restart", "shop", "--stacks"},
      {"--timeout", "5", "status"},
      {"--control", "tcp:127.0.0.1:1", "status"},
      {"--control", "nonsense", "status"},
  };
  for (const auto& words : rows) {
    const auto parsed = run(words);
    ASSERT_TRUE(std::holds_alternative<ExitStatus>(parsed)) << (words.empty() ? "" : words[0]);
    EXPECT_EQ(std::get<ExitStatus>(parsed), kUsage);
    EXPECT_FALSE(err.str().empty());
    EXPECT_TRUE(out.str().empty());
  }
}

TEST_F(CommandLineTest, HelpAndVersionAreNoMistakes) {
  auto parsed = run({"--help"});
  EXPECT_EQ(std::get<ExitStatus>(parsed), kDone);
  for (const char* text :
       {"restart", "--keep-going", "VIADUCT_CONTROL", "69  no viaductd answers", "--timeout"}) {
    EXPECT_NE(out.str().find(text), std::string::npos) << text;
  }
  parsed = run({"--version"});
  EXPECT_EQ(std::get<ExitStatus>(parsed), kDone);
  EXPECT_TRUE(out.str().starts_with("viaduct "));
}

TEST_F(CommandLineTest, ControlSocketIsFound) {
  struct Row {
    Place place;
    const char* control;
  };
  const char* own = "/run/user/7/viaduct/control.sock";
  const Row rows[] = {
      {{{}, {}, true}, "unix:/run/viaduct/control.sock"},
      {{{{"RUNTIME_DIRECTORY", "/run/x:/run/y"}}, {}, true}, "unix:/run/x/control.sock"},
      {{{{"XDG_RUNTIME_DIR", "/run/user/7"}}, {own}, false},
       "unix:/run/user/7/viaduct/control.sock"},
      {{{{"XDG_RUNTIME_DIR", "/run/user/7"}}, {}, false}, "unix:/run/viaduct/control.sock"},
      {{{{"XDG_RUNTIME_DIR", "/run/user/7"}}, {own}, true}, "unix:/run/viaduct/control.sock"},
      {{{{"VIADUCT_CONTROL", "unix:@v"}, {"RUNTIME_DIRECTORY", "/run/x"}}, {}, true}, "unix:@v"},
      {{{{"VIADUCT_CONTROL", ""}}, {}, true}, "unix:/run/viaduct/control.sock"},
  };
  for (const Row& row : rows) {
    place = row.place;
    EXPECT_EQ(config::format(line({"status"}).control), row.control);
  }
  EXPECT_EQ(config::format(line({"--control", "unix:/b", "status"}).control), "unix:/b");
}

TEST(ExitStatusTest, SaysWhatAnAnswerMeans) {
  struct Row {
    int http;
    int status;
  };
  for (const Row& row : {Row{200, 0},
                         {422, 78},
                         {403, 1},
                         {404, 1},
                         {409, 1},
                         {501, 1},
                         {503, 1},
                         {400, 70},
                         {405, 70},
                         {413, 70},
                         {500, 70},
                         {0, 70}}) {
    EXPECT_EQ(exit_status(row.http), row.status) << row.http;
  }
}

}  // namespace
}  // namespace viaduct::daemon::tool
