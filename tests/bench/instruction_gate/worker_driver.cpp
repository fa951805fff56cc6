// A worker with the bridge that sends it batches of requests, in one process: to be counted.

#include <unistd.h>

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <viaduct/viaduct.hpp>

#include "tests/bench/answer_reader.hpp"
#include "tests/bench/instruction_gate/idle.hpp"
#include "tests/bench/instruction_gate/plan.hpp"
#include "tests/bench/instruction_gate/stream.hpp"

namespace {

using namespace viaduct::bench;

/// One link of a bridge, its window agreed, on which all requests of a batch are sent at once.
class Bridge {
 public:
  Bridge(const Plan& plan, const Descriptor& listener)
      : listener_(listener),
        in_flight_(plan.in_flight),
        check_(200, plan.answer()),
        answers_(check_, static_cast<std::uint16_t>(plan.in_flight)),
        progress_(plan) {
    for (unsigned id = 1; id <= in_flight_; ++id) batch_ += plan.link_request(id);
  }

  bool turn() {
    if (!link_) {
      link_.emplace(connect_to(listener_));
      link_->send(viaduct::test::get_values({{"FCGI_MAX_REQS", ""}, {"VIADUCT_WINDOW", "262144"}}));
      return true;
    }
    const std::string_view bytes = link_->receive();
    if (bytes.empty()) return false;
    if (!std::exchange(asked_, true)) {
      if (bytes.find("VIADUCT_WINDOW262144") == bytes.npos) give_up("no window was agreed");
    } else if (!take_answers(bytes)) {
      return true;
    }
    link_->send(batch_);
    return true;
  }

 private:
  // Whether the batch is complete.
  bool take_answers(std::string_view bytes) {
    const bool whole = answers_.feed(bytes, finished_);
    if (!whole) give_up("not what a FastCGI application sends");
    for (const AnswerReader::Finished& answer : finished_) {
      if (!answer.right) give_up("wrong status or body");
      ++answered_;
    }
    finished_.clear();
    if (answered_ < in_flight_) return false;
    answered_ = 0;
    progress_.batch_answered();
    return true;
  }

  const Descriptor& listener_;
  unsigned in_flight_;
  AnswerCheck check_;
  AnswerReader answers_;
  Progress progress_;
  std::string batch_;
  std::optional<Stream> link_;
  std::vector<AnswerReader::Finished> finished_;
  unsigned answered_ = 0;
  bool asked_ = false;
};

int serve(const Plan& plan, char* name) {
  // Descriptor 0, as viaductd passes a worker its socket.
  const Descriptor listener = listen_somewhere();
  if (::dup2(listener.get(), STDIN_FILENO) < 0) give_up("dup2");
  Bridge bridge(plan, listener);
  run_when_idle([&bridge] { return bridge.turn(); });

  viaduct::App app;
  app.get("/catalogue/items",
          [](viaduct::Request&, viaduct::Response& response) { response.send("Hello, world\n"); });
  app.post("/catalogue/items", [](viaduct::Request& request, viaduct::Response& response) {
    response.send(request.body().text());
  });
  std::string model = plan.kind;
  std::string option = "--model";
  std::vector<char*> arguments{name, option.data(), model.data(), nullptr};
  return viaduct::run(static_cast<int>(arguments.size() - 1), arguments.data(), app);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return serve(Plan::parse(argc, argv), argv[0]);
  } catch (const std::exception& error) {
    give_up(error.what());
  }
}
