#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/master/control/commands.hpp"

namespace viaduct::daemon::master::control::testing {

/// A master with the app "shop" that writes down what it is told and answers with `outcome`, at
/// once or, when `answers` is false, never by itself: then `waiting` has the callbacks.
class FakeCommands final : public Commands {
 public:
  bool is_bridge(pid_t pid) const override { return pid == bridge; }
  void bridge_called(pid_t pid) override { calls.push_back("bridge " + std::to_string(pid)); }
  Status status() const override {
    Status now;
    now.version = "1.2.3";
    return now;
  }
  bool has_app(const std::string& app) const override { return app == "shop"; }
  void list_requests(const std::string& app, bool stacks,
                     std::function<void(std::vector<RequestList>)> done) override {
    calls.push_back("requests " + app + (stacks ? " with stacks" : ""));
    done(lists);
  }
  void note(const Peer& peer, std::string_view command) override {
    notes.push_back(std::to_string(peer.uid) + " " + std::string(command));
  }
  void reload(bool keep_going, Done done) override {
    take(keep_going ? "reload, keep going" : "reload", std::move(done));
  }
  void reload_app(const std::string& app, Done done) override {
    take("reload " + app, std::move(done));
  }
  void restart(const std::string& app, Done done) override {
    take("restart " + app, std::move(done));
  }
  void scale(const std::string& app, std::uint32_t workers, Done done) override {
    take("scale " + app + " " + std::to_string(workers), std::move(done));
  }
  void drain(Done done) override { take("drain", std::move(done)); }
  void stop(Done done) override { take("stop", std::move(done)); }
  void reopen(Done done) override { take("reopen", std::move(done)); }
  void upgrade(Done done) override { take("upgrade", std::move(done)); }

  Outcome outcome{.message = "so be it"};
  std::vector<RequestList> lists;
  bool answers = true;
  pid_t bridge = -1;
  std::vector<std::string> calls;
  std::vector<std::string> notes;
  std::vector<Done> waiting;

 private:
  void take(std::string call, Done done) {
    calls.push_back(std::move(call));
    if (answers) return done(outcome);
    waiting.push_back(std::move(done));
  }
};

}  // namespace viaduct::daemon::master::control::testing
