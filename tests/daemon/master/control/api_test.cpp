#include "daemon/master/control/api.hpp"

#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "tests/daemon/master/control/fake_commands.hpp"

namespace viaduct::daemon::master::control {
namespace {

constexpr uid_t kDaemon = 500;
constexpr gid_t kGroup = 70;

const Peer kRoot{1, 0, 0, {}};
const Peer kOwner{1, kDaemon, 5, {}};
const Peer kMember{1, 1000, 1000, {4, kGroup}};
const Peer kPrimaryMember{1, 1001, kGroup, {}};
const Peer kStranger{1, 1002, 1002, {4, 71}};

class ControlApiTest : public ::testing::Test {
 protected:
  Reply ask(const Peer& peer, std::string_view method, std::string_view target,
            std::string_view body = "") {
    // An answer may come when this call is over.
    auto reply = std::make_shared<Reply>(Reply{0, "no answer", {}});
    api.handle(peer, method, target, body, [reply](Reply said) { *reply = std::move(said); });
    return *reply;
  }

  testing::FakeCommands commands;
  Api api{commands, {kDaemon, kGroup}};
};

TEST_F(ControlApiTest, CredentialsDecideWhoChangesWhat) {
  struct Row {
    const char* who;
    Peer peer;
    bool may;
  };
  const Row rows[] = {{"root", kRoot, true},
                      {"owner", kOwner, true},
                      {"member", kMember, true},
                      {"primary member", kPrimaryMember, true},
                      {"stranger", kStranger, false}};
  for (const Row& row : rows) {
    commands.calls.clear();
    EXPECT_EQ(ask(row.peer, "POST", "/v1/reload").status, row.may ? 200 : 403) << row.who;
    EXPECT_EQ(ask(row.peer, "POST", "/v1/apps/shop/restart").status, row.may ? 200 : 403);
    EXPECT_EQ(commands.calls.size(), row.may ? 2u : 0u) << row.who;
    EXPECT_EQ(ask(row.peer, "GET", "/v1/status").status, 200) << row.who;
    EXPECT_EQ(ask(row.peer, "GET", "/v1/apps/shop/requests").status, 200) << row.who;
  }
}

TEST_F(ControlApiTest, WithoutAGroupOnlyRootAndOwnerChangeThings) {
  const Permission permission{kDaemon, std::nullopt};
  EXPECT_TRUE(permission.may_change(kRoot));
  EXPECT_TRUE(permission.may_change(kOwner));
  EXPECT_FALSE(permission.may_change(kMember));
  EXPECT_FALSE(permission.may_change(kPrimaryMember));
}

TEST_F(ControlApiTest, CommandsReachTheMasterAndTheLog) {
  ask(kMember, "POST", "/v1/reload");
  ask(kMember, "POST", "/v1/reload", R"({"keep_going": true})");
  ask(kMember, "POST", "/v1/apps/shop/reload");
  ask(kMember, "POST", "/v1/apps/shop/restart");
  ask(kMember, "POST", "/v1/apps/shop/scale", R"({"workers": 3})");
  ask(kMember, "POST", "/v1/drain");
  ask(kMember, "POST", "/v1/stop");
  ask(kMember, "POST", "/v1/reopen");
  ask(kMember, "POST", "/v1/upgrade");
  EXPECT_EQ(commands.calls,
            (std::vector<std::string>{"reload", "reload, keep going", "reload shop", "restart shop",
                                      "scale shop 3", "drain", "stop", "reopen", "upgrade"}));
  EXPECT_EQ(commands.notes,
            (std::vector<std::string>{"1000 reload", "1000 reload --keep-going", "1000 reload shop",
                                      "1000 restart shop", "1000 scale shop 3", "1000 drain",
                                      "1000 stop", "1000 reopen", "1000 upgrade"}));
}

TEST_F(ControlApiTest, UnknownAppsAreNotFound) {
  const Reply unknown{404, R"({"error":"there is no app \"blog\""})", {}};
  EXPECT_EQ(ask(kRoot, "POST", "/v1/apps/blog/restart"), unknown);
  EXPECT_EQ(ask(kRoot, "POST", "/v1/apps/blog/scale", R"({"workers": 1})"), unknown);
  EXPECT_EQ(ask(kRoot, "GET", "/v1/apps/blog/requests"), unknown);
  EXPECT_EQ(ask(kRoot, "GET", "/v1/apps/\xff/requests").json,
            R"({"error":"there is no app \"\\xff\""})");
  EXPECT_TRUE(commands.calls.empty());
}

TEST_F(ControlApiTest, ReloadMayBringAnAppThatIsNew) {
  EXPECT_EQ(ask(kRoot, "POST", "/v1/apps/blog/reload").status, 200);
  EXPECT_EQ(commands.calls, std::vector<std::string>{"reload blog"});
}

TEST_F(ControlApiTest, ReloadBringsNoAppThatCannotHaveItsName) {
  for (const std::string& name :
       {std::string("a.b"), std::string("a b"), std::string("-a"), std::string("_a"),
        std::string("a%62"), std::string("\xff"), std::string("\x1b[2J"), std::string(65, 'a')}) {
    EXPECT_EQ(ask(kRoot, "POST", "/v1/apps/" + name + "/reload").status, 404) << name;
  }
  EXPECT_TRUE(commands.calls.empty());
  EXPECT_TRUE(commands.notes.empty());
  EXPECT_EQ(ask(kRoot, "POST", "/v1/apps/" + std::string(64, 'a') + "/reload").status, 200);
}

TEST_F(ControlApiTest, OutcomesBecomeStatuses) {
  struct Row {
    Outcome outcome;
    int status;
    const char* json;
  };
  const Row rows[] = {
      {{.message = "generation 2: shop kept; ready in 0.4 s"},
       200,
       R"({"message":"generation 2: shop kept; ready in 0.4 s"})"},
      {{.message = "done", .warnings = {"a.yaml:1:2: b: c"}},
       200,
       R"({"message":"done","warnings":["a.yaml:1:2: b: c"]})"},
      {{.kind = Outcome::Kind::invalid, .message = "no", .errors = {"a.yaml:1:2: b: c", "d\xff"}},
       422,
       R"({"error":"no","errors":["a.yaml:1:2: b: c","d\\xff"]})"},
      {{.kind = Outcome::Kind::refused, .message = "shop: no"}, 409, R"({"error":"shop: no"})"},
      {{.kind = Outcome::Kind::partial, .message = "half", .errors = {"shop/1: no"}},
       409,
       R"({"error":"half","errors":["shop/1: no"]})"},
      {{.kind = Outcome::Kind::unsupported, .message = "cannot"}, 501, R"({"error":"cannot"})"},
  };
  for (const Row& row : rows) {
    commands.outcome = row.outcome;
    EXPECT_EQ(ask(kRoot, "POST", "/v1/reload"), (Reply{row.status, row.json, {}}));
  }
}

TEST_F(ControlApiTest, OnlySoManyCommandsAreUnderWay) {
  commands.answers = false;
  for (std::size_t i = 0; i < Api::kMaxCommands; ++i) {
    EXPECT_EQ(ask(kRoot, "POST", "/v1/reload").status, 0) << "under way";
  }
  EXPECT_EQ(ask(kRoot, "POST", "/v1/reload").status, 503);
  EXPECT_EQ(ask(kRoot, "GET", "/v1/status").status, 200);
  EXPECT_EQ(ask(kRoot, "GET", "/v1/apps/shop/requests").status, 200);
  EXPECT_EQ(ask(kRoot, "POST", "/v1/stop").status, 0);
  EXPECT_EQ(commands.calls.back(), "stop");
  for (const auto& done : std::exchange(commands.waiting, {})) done({});
  commands.answers = true;
  EXPECT_EQ(ask(kRoot, "POST", "/v1/reload").status, 200);
}

TEST_F(ControlApiTest, StacksAreForEverybodyWhoMayLook) {
  EXPECT_EQ(ask(kStranger, "GET", "/v1/apps/shop/requests?stacks=true").status, 200);
  EXPECT_EQ(ask(kStranger, "GET", "/v1/apps/shop/requests").status, 200);
  EXPECT_EQ(commands.calls,
            (std::vector<std::string>{"requests shop with stacks", "requests shop"}));
  EXPECT_TRUE(commands.notes.empty());
}

TEST_F(ControlApiTest, ListsOfBridgesAreJoined) {
  EXPECT_EQ(ask(kRoot, "GET", "/v1/apps/shop/requests").json,
            R"({"app":"shop","complete":true,"bridges":[]})");
  const channel::ListedRequest plain{.id = "a",
                                     .method = "GET",
                                     .target = "/\"]\xff\x1b\\x1b",
                                     .state = "working",
                                     .no_stack = "",
                                     .age_ms = 12,
                                     .worker_pid = 900,
                                     .stack = {}};
  channel::ListedRequest traced;
  traced.stack = {"#0 a \"b\"", "#1 c"};
  channel::ListedRequest untraced;
  untraced.no_stack = "no worker has it";
  commands.lists = {
      {.generation = 7, .answered = true, .requests = {plain, traced, untraced}, .omitted = 2},
      {.generation = 8}};
  EXPECT_EQ(
      ask(kRoot, "GET", "/v1/apps/shop/requests").json,
      R"({"app":"shop","complete":false,"bridges":[)"
      R"({"generation":7,"answered":true,"omitted":2,"requests":[)"
      R"({"id":"a","method":"GET","target":"/\"]\\xff\\x1b\\x1b","age_ms":12,"worker_pid":900,)"
      R"("state":"working"},)"
      R"({"id":"","method":"","target":"","age_ms":0,"worker_pid":0,"state":"",)"
      R"("stack":["#0 a \"b\"","#1 c"]},)"
      R"({"id":"","method":"","target":"","age_ms":0,"worker_pid":0,"state":"",)"
      R"("no_stack":"no worker has it"}]},)"
      R"({"generation":8,"answered":false,"omitted":0,"requests":[]}]})");
}

TEST_F(ControlApiTest, StatusIsAnObjectWithEveryMember) {
  Status status;
  status.version = "0.1";
  status.pid = 812;
  status.uptime_ms = std::chrono::milliseconds(1500);
  status.generations = {{7, "active", 813}};
  status.listeners = {{"fastcgi", "unix:/w", {"shop"}, "shut down"}};
  AppStatus app;
  app.name = "shop";
  app.queued = 3;
  app.behind = "shop/1: killed";
  app.workers = {{"shop/1", 900, "ready", std::chrono::milliseconds(9), 4, 4096}};
  app.servers = {{"tcp:10.0.0.7:9000", "down", 1, 2, "refused"}};
  AppStatus canary;
  canary.name = "shop/canary";
  canary.requests = 2;
  canary.errors = 1;
  canary.canary = {"shop", "5%", "X-Canary"};
  status.apps = {app, canary};
  status.sandbox = {"seccomp"};
  status.sandbox_lacks = {"landlock: gone"};
  EXPECT_EQ(
      to_json(status),
      R"({"version":"0.1","pid":812,"uptime_ms":1500,"state":"","file":"","last_reload":"",)"
      R"("connections":0,"malformed":0,"contradictory":0,"odd_fields":0,"violations":0,"sandbox":["seccomp"],"sandbox_lacks":["landlock: gone"],"generations":[{"number":7,"state":"active","bridge_pid":813}],)"
      R"("listeners":[{"protocol":"fastcgi","address":"unix:/w","apps":["shop"],"failure":"shut down"}],)"
      R"("apps":[{"name":"shop","state":"","failure":"","wanted":0,"active":0,"queued":3,)"
      R"("requests":0,"errors":0,"failed":0,"aborted":0,"retried":0,"timeouts":0,)"
      R"("workers":[{"name":"shop/1","pid":900,"state":"ready","uptime_ms":9,"requests":4,"memory":4096}],)"
      R"("servers":[{"name":"tcp:10.0.0.7:9000","state":"down","active":1,"requests":2,"failure":"refused"}],)"
      R"("canary":null,"behind":"shop/1: killed"},)"
      R"({"name":"shop/canary","state":"","failure":"","wanted":0,"active":0,"queued":0,)"
      R"("requests":2,"errors":1,"failed":0,"aborted":0,"retried":0,"timeouts":0,"workers":[],"servers":[],)"
      R"("canary":{"app":"shop","share":"5%","header":"X-Canary"},"behind":""}]})");
}

}  // namespace
}  // namespace viaduct::daemon::master::control
