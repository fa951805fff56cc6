// A thread of the bridge with its front servers and its worker, in one process: to be counted.

#include <fcntl.h>
#include <sys/socket.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/bridge/dispatch/lanes.hpp"
#include "daemon/bridge/thread.hpp"
#include "daemon/log/log.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "tests/bench/answer_reader.hpp"
#include "tests/bench/instruction_gate/idle.hpp"
#include "tests/bench/instruction_gate/plan.hpp"
#include "tests/bench/instruction_gate/stream.hpp"
#include "tests/support/trace.hpp"

namespace {

using namespace viaduct::bench;
namespace bridge = viaduct::daemon::bridge;
namespace config = viaduct::daemon::config;
namespace protocol = viaduct::protocol;
using protocol::Event;

/// A worker on the SDK, which answers all requests that arrived together in one write.
class Worker {
 public:
  explicit Worker(std::string answer)
      : listener_(listen_somewhere()), answer_(std::move(answer)), codec_(options()) {
    head_.status = 200;
    head_.content_length = answer_.size();
    head_.fields.add("Content-Type", "text/plain; charset=utf-8");
    head_.fields.add("Content-Length", std::to_string(answer_.size()));
  }

  [[nodiscard]] bridge::Destination address() const {
    bridge::Destination address;
    address.length = sizeof address.storage;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length);
    return address;
  }

  bool turn() {
    if (!link_) {
      Descriptor accepted(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (accepted.get() < 0) return false;
      link_.emplace(std::move(accepted));
    }
    const std::string_view bytes = link_->receive();
    if (bytes.empty()) return false;
    read(protocol::as_bytes(bytes));
    link_->send(viaduct::test::drain(codec_.output(), SIZE_MAX));
    return true;
  }

 private:
  static protocol::fastcgi::ServerOptions options() {
    protocol::fastcgi::ServerOptions options;
    options.limits.requests = 2048;
    options.max_reqs = 1000;
    options.window = 256 * 1024;
    options.prefetch = 1000;
    return options;
  }

  void read(protocol::Bytes bytes) {
    while (!bytes.empty()) {
      bytes = bytes.subspan(codec_.feed(bytes));
      for (Event event = codec_.next(); event.kind != Event::Kind::none; event = codec_.next()) {
        if (event.kind == Event::Kind::refused) give_up("the worker is sent what it refuses");
        if (event.kind == Event::Kind::body_end) answer(event.id);
      }
      if (codec_.error() != protocol::Errc::ok) give_up("the worker is not sent FastCGI");
    }
  }

  void answer(protocol::RequestId id) {
    codec_.head(id, head_);
    codec_.body(id, protocol::as_bytes(answer_));
    codec_.end(id, 0);
  }

  Descriptor listener_;
  std::string answer_;
  protocol::ResponseHead head_;
  protocol::fastcgi::ServerCodec codec_;
  std::optional<Stream> link_;
};

/// One connection of a front server, with one request at a time.
class FrontConnection {
 public:
  FrontConnection(const Descriptor& listener, AnswerCheck& check)
      : stream_(connect_to(listener)), answers_(check, 1) {}

  void send(std::string_view request) { stream_.send(request); }

  /// Whether it has the whole answer now.
  bool answered_fastcgi() {
    if (!answers_.feed(stream_.receive(), finished_)) give_up("a response is not FastCGI");
    if (finished_.empty()) return false;
    if (!finished_.front().right) give_up("wrong status or body");
    finished_.clear();
    return true;
  }

  bool answered_http(const std::string& body) {
    http_ += stream_.receive();
    const std::size_t head = http_.find("\r\n\r\n");
    if (head == std::string::npos || http_.size() < head + 4 + body.size()) return false;
    if (!http_.starts_with("HTTP/1.1 200 ") ||
        http_.compare(head + 4, std::string::npos, body) != 0) {
      give_up("wrong status or body");
    }
    http_.clear();
    return true;
  }

 private:
  Stream stream_;
  AnswerReader answers_;
  std::vector<AnswerReader::Finished> finished_;
  std::string http_;
};

/// A front server that keeps its connections, one for each request in flight.
class FrontServer {
 public:
  FrontServer(const Plan& plan, const Descriptor& listener)
      : in_flight_(plan.in_flight),
        http_(plan.kind == "http"),
        request_(http_ ? plan.http_request() : plan.fastcgi_request(1)),
        answer_(plan.answer()),
        check_(200, answer_),
        progress_(plan),
        listener_(listener) {}

  bool turn() {
    if (connections_.empty()) {
      for (unsigned i = 0; i < in_flight_; ++i) {
        connections_.push_back(std::make_unique<FrontConnection>(listener_, check_));
      }
      return true;
    }
    const std::size_t before = waiting_.size();
    std::erase_if(waiting_, [this](FrontConnection* connection) {
      return http_ ? connection->answered_http(answer_) : connection->answered_fastcgi();
    });
    if (!waiting_.empty()) return waiting_.size() < before;
    if (before > 0) progress_.batch_answered();
    for (const auto& connection : connections_) {
      connection->send(request_);
      waiting_.push_back(connection.get());
    }
    return true;
  }

 private:
  unsigned in_flight_;
  bool http_;
  std::string request_;
  std::string answer_;
  AnswerCheck check_;
  Progress progress_;
  const Descriptor& listener_;
  std::vector<std::unique_ptr<FrontConnection>> connections_;
  std::vector<FrontConnection*> waiting_;
};

class NoReports final : public bridge::WorkerReports {
 public:
  void answered(const std::shared_ptr<bridge::WorkerInfo>&) override {}
  void replace(const bridge::WorkerInfo&, std::string_view reason) override {
    give_up("the worker is to be replaced: " + std::string(reason));
  }
  void idle(const bridge::WorkerInfo&) override {}
  void unserved(std::uint32_t) override {}
  void wake_others(std::uint32_t) override {}
  void crashed(const bridge::WorkerInfo&, std::vector<bridge::Suspect>) override {}
  void cleared(std::uint32_t, std::uint64_t, std::string) override {}
  void server_changed(const std::shared_ptr<bridge::WorkerInfo>&, std::string_view) override {}
};

config::BridgeSettings settings_for(const std::string& kind) {
  config::BridgeSettings settings;
  config::BridgeApp app;
  app.name = "shop";
  settings.apps.push_back(app);
  config::BridgeListener listener;
  listener.protocol = kind == "http" ? config::FrontProtocol::http : config::FrontProtocol::fastcgi;
  listener.routes.push_back({.path = "/", .mount = false, .app = "shop"});
  settings.listeners.push_back(listener);
  return settings;
}

void serve(const Plan& plan) {
  const config::BridgeSettings settings = settings_for(plan.kind);
  viaduct::daemon::log::Settings nowhere;
  nowhere.descriptor = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  const viaduct::daemon::log::Log log(nowhere);
  const auto scores = std::make_unique<viaduct::daemon::Scoreboard>();
  bridge::ProcessUse use{.memory = {.policy = {settings.limits.memory, 1}, .give_back = [] {}},
                         .clients = bridge::ClientCounts(0)};
  NoReports reports;
  std::vector<std::unique_ptr<bridge::SharedApp>> apps;
  apps.push_back(std::make_unique<bridge::SharedApp>());
  apps.front()->settings = settings.apps.front();
  apps.front()->lanes = bridge::lanes_of(settings, "shop");
  apps.front()->state = viaduct::daemon::channel::AppState::serving;

  const Descriptor listener = listen_somewhere();
  Worker worker(plan.answer());
  FrontServer fronts(plan, listener);
  const auto info = std::make_shared<bridge::WorkerInfo>();
  info->serial = 1;
  info->address = worker.address();
  bridge::Thread thread(0, settings, apps, log, *scores, use, reports, {listener.get()});
  thread.accept();
  thread.reactor().post([&] { thread.app(0).add(info, true); });
  run_when_idle([&] { return worker.turn() || fronts.turn(); });
  thread.run([] {});
}

}  // namespace

int main(int argc, char** argv) {
  try {
    serve(Plan::parse(argc, argv));
  } catch (const std::exception& error) {
    give_up(error.what());
  }
  return 70;
}
