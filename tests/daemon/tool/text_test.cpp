#include "daemon/tool/text.hpp"

#include <string>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "daemon/tool/fields.hpp"
#include "daemon/tool/table.hpp"

namespace viaduct::daemon::tool {
namespace {

boost::json::value json(const std::string& text) {
  return boost::json::parse(text);
}

TEST(ToolTextTest, DurationsAreShort) {
  struct Row {
    std::int64_t milliseconds;
    const char* text;
  };
  for (const Row& row : {Row{0, "0.0 s"},
                         {1549, "1.5 s"},
                         {59'900, "59.9 s"},
                         {60'000, "1m 0s"},
                         {3'599'000, "59m 59s"},
                         {3'600'000, "1h 0m"},
                         {86'399'000, "23h 59m"},
                         {86'400'000, "1d 0h"},
                         {864'000'000, "10d 0h"}}) {
    EXPECT_EQ(duration_text(row.milliseconds), row.text);
  }
}

TEST(ToolTextTest, TablesAreAligned) {
  Table table({"NAME", ">N", "REST"});
  EXPECT_TRUE(table.empty());
  table.add({"a", "1000", "x"});
  table.add({"longer", "2", ""});
  EXPECT_EQ(table.text(),
            "NAME       N  REST\n"
            "a       1000  x\n"
            "longer     2\n");
}

// What a text says of the sandbox; "" if nothing.
std::string sandbox_line(const std::string& text) {
  const std::string begin = "sandbox of the bridge: ";
  const auto at = text.find(begin);
  if (at == std::string::npos) return "";
  return text.substr(at + begin.size(), text.find('\n', at) + 1 - at - begin.size());
}

TEST(ToolTextTest, StatusSaysHowMuchOfTheSandboxThereIs) {
  const struct {
    const char* answer;
    const char* said;
  } cases[] = {
      {R"("pid": 1)", ""},
      {R"("sandbox": [], "sandbox_lacks": [])", "off\n"},
      {R"("sandbox": ["seccomp"], "sandbox_lacks": ["landlock: gone"])",
       "seccomp; not available: landlock: gone\n"},
      {R"("sandbox": [], "sandbox_lacks": ["seccomp: no", "landlock: gone"])",
       "none; not available: seccomp: no, landlock: gone\n"},
      {R"("sandbox": ["sec\u001bcomp"])", "sec?comp\n"},
  };
  for (const auto& c : cases) {
    const std::string generations = R"(, "generations": [{"bridge_pid": 0}, {"bridge_pid": 7}])";
    const std::string text = status_text(json("{" + std::string(c.answer) + generations + "}"));
    EXPECT_EQ(sandbox_line(text), c.said) << c.answer;
  }
}

// The parts in force are those of a bridge: without one nothing is off.
TEST(ToolTextTest, StatusSaysThatThereIsNoBridgeToBeInASandbox) {
  for (const char* generations : {R"([])", R"([{"number": 7, "bridge_pid": 0}])"}) {
    const std::string text =
        status_text(json(R"({"sandbox": [], "sandbox_lacks": [], "generations": )" +
                         std::string(generations) + "}"));
    EXPECT_EQ(sandbox_line(text), "there is no bridge\n") << generations;
  }
}

TEST(ToolTextTest, StatusShowsAppsAndWorkers) {
  const auto answer = json(R"({
    "version": "0.1", "pid": 812, "uptime_ms": 90000, "state": "serving", "file": "/etc/v.yaml",
    "last_reload": "generation 7: shop kept; ready in 0.4 s", "connections": 1,
    "violations": 2, "sandbox": ["seccomp", "landlock"], "sandbox_lacks": [], "generations": [{"number": 7, "state": "active", "bridge_pid": 813},
                    {"number": 6, "state": "draining", "bridge_pid": 0}],
    "listeners": [{"protocol": "scgi", "address": "tcp:127.0.0.1:1", "apps": ["shop", "api"]},
                  {"protocol": "http", "address": "systemd:web", "apps": ["api"],
                   "failure": "it was shut\u001b down"}],
    "apps": [
      {"name": "shop", "state": "serving", "failure": "", "wanted": 2, "active": 3, "queued": 1,
       "requests": 1000, "errors": 8, "failed": 4, "aborted": 5, "retried": 6, "timeouts": 7,
       "workers": [{"name": "shop/1", "pid": 900, "state": "ready", "uptime_ms": 1500,
                    "requests": 70, "memory": 1572864},
                   {"name": "shop/2", "pid": 1000, "state": "starting", "uptime_ms": 0}]},
      {"name": "api", "state": "failing", "failure": "api/1: exited with status 1", "wanted": 1}]})");
  EXPECT_EQ(status_text(answer),
            "viaductd 0.1 serving, pid 812, up 1m 30s, 1 connection\n"
            "configuration /etc/v.yaml\n"
            "last reload: generation 7: shop kept; ready in 0.4 s\n"
            "2 bridges ended for breaking the rules of the channel\n"
            "sandbox of the bridge: seccomp, landlock\n"
            "generation 7 active, bridge 813\n"
            "generation 6 draining, no bridge\n"
            "scgi at tcp:127.0.0.1:1 for shop, api\n"
            "http at systemd:web for api\n"
            "  refuses clients: it was shut? down\n"
            "\n"
            "APP   STATE    READY  ACTIVE  QUEUED  REQUESTS  ERRORS  FAILED  ABORTED  RETRIED  "
            "TIMEOUTS\n"
            "shop  serving    1/2       3       1      1000       8       4        5        6  "
            "       7\n"
            "api   failing    0/1       0       0         0       0       0        0        0  "
            "       0\n"
            "api: last failure: api/1: exited with status 1\n"
            "\n"
            "WORKER   PID  STATE     REQUESTS   MEMORY     UP\n"
            "shop/1   900  ready           70  1.5 MiB  1.5 s\n"
            "shop/2  1000  starting         0  0.0 MiB  0.0 s\n");
}

TEST(ToolTextTest, StatusListsServersThatOthersRun) {
  const auto answer = json(R"({"apps": [
      {"name": "old", "state": "serving", "wanted": 0, "workers": [],
       "servers": [
         {"name": "unix:/run/old.sock", "state": "up", "active": 2, "requests": 70, "failure": ""},
         {"name": "tcp:10.0.0.7:9000\u001b", "state": "down", "active": 0, "requests": 3,
          "failure": "Connection refused"}]}]})");
  const std::string text = status_text(answer);
  EXPECT_NE(text.find("old  serving      -       0"), std::string::npos) << text;
  EXPECT_TRUE(
      text.ends_with("\nAPP  SERVER              STATE  ACTIVE  REQUESTS\n"
                     "old  unix:/run/old.sock  up          2        70\n"
                     "old  tcp:10.0.0.7:9000?  down        0         3\n"
                     "tcp:10.0.0.7:9000?: Connection refused\n"))
      << text;
}

TEST(ToolTextTest, StatusComparesCanariesWithTheOthers) {
  const auto answer = json(R"({"version": "0.1", "apps": [
      {"name": "shop", "state": "serving", "wanted": 2, "active": 3, "queued": 1,
       "requests": 1000, "errors": 4, "failed": 1, "workers": [], "canary": null},
      {"name": "shop/canary", "state": "serving", "wanted": 1, "active": 0, "queued": 0,
       "requests": 50, "errors": 3, "workers": [{"name": "shop/canary/1", "state": "ready"}],
       "canary": {"app": "shop", "share": "5%", "header": "X-Canary"}}]})");
  const std::string text = status_text(answer);
  EXPECT_NE(text.find("APP          STATE    READY  ACTIVE  QUEUED  REQUESTS  ERRORS  FAILED  "
                      "ABORTED  RETRIED  TIMEOUTS\n"
                      "shop         serving    0/2       3       1      1000       4       1  "
                      "      0        0         0\n"
                      "shop/canary  serving    1/1       -       -        50       3       -  "
                      "      -        -         -\n"
                      "shop/canary: 5% of the requests and those with X-Canary: 3 errors in 50 "
                      "requests, the others 1 error in 950 requests\n"),
            std::string::npos)
      << text;
  const auto alone = json(R"({"apps": [{"name": "shop/canary", "requests": 1, "errors": 0,
       "canary": {"app": "shop", "share": "0.5%", "header": ""}}]})");
  EXPECT_NE(status_text(alone).find("shop/canary: 0.5% of the requests: 0 errors in 1 request\n"),
            std::string::npos);
}

TEST(ToolTextTest, RequestsOfAllBridgesAreSortedByAge) {
  EXPECT_EQ(requests_text(json(R"({"bridges": []})")), "no requests in flight\n");
  const auto answer = json(R"({"app": "shop", "complete": false, "bridges": [
    {"generation": 6, "answered": false, "omitted": 0, "requests": []},
    {"generation": 7, "answered": true, "omitted": 1, "requests": [
      {"id": "", "method": "GET", "target": "/a", "age_ms": 100, "worker_pid": 0, "state": "queued"}]},
    {"generation": 8, "answered": true, "omitted": 0, "requests": [
      {"id": "x1", "method": "POST", "target": "/b", "age_ms": 61000, "worker_pid": 900,
       "state": "working"}]}]})");
  EXPECT_EQ(requests_text(answer),
            "  AGE  STATE    WORKER  ID  REQUEST\n"
            "1m 1s  working     900  x1  POST /b\n"
            "0.1 s  queued        -  -   GET /a\n"
            "not complete: the bridge of generation 6 did not answer in time\n"
            "1 younger request of generation 7 left out\n");
}

TEST(ToolTextTest, StacksStandUnderTheirRequests) {
  const auto answer = json(R"({"app": "shop", "complete": true, "bridges": [
    {"generation": 1, "answered": true, "omitted": 0, "requests": [
      {"id": "", "method": "GET", "target": "/c", "age_ms": 10, "worker_pid": 900, "state": "working"},
      {"id": "", "method": "GET", "target": "/a", "age_ms": 1000, "worker_pid": 900,
       "state": "working", "stack": ["#0 read\u001b at a.cpp:1", "#1 main at a.cpp:2"]},
      {"id": "", "method": "GET", "target": "/b", "age_ms": 500, "worker_pid": 0, "state": "queued",
       "no_stack": "no worker has it"}]}]})");
  EXPECT_EQ(requests_text(answer),
            "  AGE  STATE    WORKER  ID  REQUEST\n"
            "1.0 s  working     900  -   GET /a\n"
            "    #0 read? at a.cpp:1\n"
            "    #1 main at a.cpp:2\n"
            "0.5 s  queued        -  -   GET /b\n"
            "    (no stack: no worker has it)\n"
            "0.0 s  working     900  -   GET /c\n");
}

TEST(ToolTextTest, ErrorsComeBeforeTheirReason) {
  EXPECT_EQ(error_text(json(R"({"error": "reload failed", "errors": ["a:1:2: b", "c"]})")),
            "a:1:2: b\nc\nviaduct: reload failed\n");
  EXPECT_EQ(error_text(json("{}")), "viaduct: viaductd gave no reason\n");
  EXPECT_EQ(warnings_text(json(R"({"warnings": ["a", "b"]})")), "warning: a\nwarning: b\n");
  EXPECT_EQ(warnings_text(json("{}")), "");
}

TEST(ToolTextTest, NothingInAnAnswerCommandsTheTerminal) {
  const auto answer = json(R"({"bridges": [{"generation": 1, "answered": true, "requests": [
    {"method": "GET\u001b[2J", "target": "/\u007f\n", "age_ms": 0, "state": "\u0007"}]}]})");
  const std::string text = requests_text(answer);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("GET?[2J /??\n"), std::string::npos) << text;
}

TEST(ToolTextTest, NoControlCharacterOfC1Either) {
  const auto answer = json("{\"message\": \"a\\u009b2J \xc3\xbc \xc2\xa0\"}");
  EXPECT_EQ(text_of(answer, "message"), "a?2J \xc3\xbc \xc2\xa0");
  const std::string body = "{\"message\":\"a\xc2\x9b\x7f\xc2\x80 \xc2\xa0\xc3\xbc\"}";
  EXPECT_EQ(printable_json(body), "{\"message\":\"a\\u009b\\u007f\\u0080 \xc2\xa0\xc3\xbc\"}");
  EXPECT_EQ(json(printable_json(body)), json(body));
}

TEST(ToolTextTest, AnswersOfAnotherShapeAreShownAsFarAsTheyGo) {
  for (const char* text :
       {"{}", "[]", "1", "null", R"({"apps": 3, "generations": [1], "pid": "x"})",
        R"({"apps": [[]], "listeners": [{"apps": [1]}]})", R"({"apps": [{"canary": {}}]})",
        R"({"apps": [{"canary": 1}]})"}) {
    EXPECT_TRUE(status_text(json(text)).starts_with("viaductd ")) << text;
    EXPECT_EQ(requests_text(json(text)), "no requests in flight\n");
  }
}

}  // namespace
}  // namespace viaduct::daemon::tool
