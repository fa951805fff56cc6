#include "tests/fuzz/scripted_bridge.hpp"

#include <fastcgi.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "daemon/bridge/dispatch/lanes.hpp"
#include "protocol/fastcgi/record.hpp"
#include "tests/fuzz/scripted_clock.hpp"
#include "tests/support/fastcgi_records.hpp"
#include "tests/support/trace.hpp"

namespace viaduct::test {

namespace bridge = daemon::bridge;
namespace config = daemon::config;
using protocol::Event;

namespace {

constexpr std::size_t kMostFronts = 4;
constexpr std::size_t kMostTurns = 200;
/// Around the time-outs that there are: 1, 5, 30, 60, 75 s.
constexpr std::array<std::chrono::milliseconds, 8> kWaits{
    std::chrono::milliseconds(50),    std::chrono::milliseconds(100),
    std::chrono::milliseconds(1000),  std::chrono::milliseconds(4950),
    std::chrono::milliseconds(5050),  std::chrono::milliseconds(29950),
    std::chrono::milliseconds(30050), std::chrono::milliseconds(76000)};

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "the bridge broke a rule: %s\n", what);
  std::abort();
}

// The listening sockets of the whole process: one of each protocol, and the worker's.
struct Sockets {
  std::string directory = "/tmp/viaduct-fuzz-XXXXXX";
  std::array<int, 4> listeners{};
  int worker = -1;

  Sockets() {
    std::signal(SIGPIPE, SIG_IGN);
    require(::mkdtemp(directory.data()) != nullptr, "no directory");
    for (std::size_t i = 0; i < listeners.size(); ++i) listeners[i] = listen_at(front(i));
    worker = listen_at(worker_path());
  }
  ~Sockets() {
    for (std::size_t i = 0; i < listeners.size(); ++i) ::unlink(front(i).c_str());
    ::unlink(worker_path().c_str());
    ::rmdir(directory.c_str());
  }
  std::string front(std::size_t i) const { return directory + "/front" + std::to_string(i); }
  std::string worker_path() const { return directory + "/worker"; }

  static sockaddr_un address(const std::string& path) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, path.c_str(), sizeof(to.sun_path) - 1);
    return to;
  }
  static int listen_at(const std::string& path) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const sockaddr_un to = address(path);
    require(::bind(socket, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 &&
                ::listen(socket, 64) == 0,
            "no socket to listen at");
    return socket;
  }
};

const Sockets& sockets() {
  static const Sockets all;
  return all;
}

int connect_to(const std::string& path) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const sockaddr_un to = Sockets::address(path);
  require(::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0,
          "a connection is not accepted");
  return socket;
}

// What arrived; nothing when nothing did. `ended`: nor will anything.
std::string receive(int socket, bool& ended) {
  std::string bytes(64 * 1024, '\0');
  const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
  ended = count == 0 || (count < 0 && errno != EAGAIN);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

// Returns what the socket took; the rest is lost: a peer may fall silent at any byte.
std::string_view send(int socket, std::string_view bytes) {
  const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return bytes.substr(0, sent > 0 ? static_cast<std::size_t>(sent) : 0);
}

config::BridgeSettings make_settings() {
  config::BridgeSettings settings;
  config::BridgeApp app;
  app.name = "shop";
  app.limits.params = 8192;
  app.limits.body = 128 * 1024;
  app.limits.queue = 8;
  app.params = {{"HTTPS", "on"}, {"HTTP_X_SECRET", std::nullopt}};
  settings.apps.push_back(app);
  using P = config::FrontProtocol;
  for (const P protocol : {P::fastcgi, P::scgi, P::uwsgi, P::http}) {
    config::BridgeListener listener;
    listener.protocol = protocol;
    listener.routes.push_back({.path = "/", .mount = false, .app = "shop"});
    settings.listeners.push_back(listener);
  }
  return settings;
}

daemon::log::Settings silent() {
  daemon::log::Settings settings;
  settings.descriptor = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  return settings;
}

}  // namespace

class ScriptedBridge::Reports final : public bridge::WorkerReports {
 public:
  void answered(const std::shared_ptr<bridge::WorkerInfo>&) override {}
  void replace(const bridge::WorkerInfo&, std::string_view) override {}
  void idle(const bridge::WorkerInfo&) override {}
  void unserved(std::uint32_t) override {}
  void wake_others(std::uint32_t) override {}
  void crashed(const bridge::WorkerInfo&, std::vector<bridge::Suspect>) override {}
  void cleared(std::uint32_t, std::uint64_t, std::string) override {}
  void server_changed(const std::shared_ptr<bridge::WorkerInfo>&, std::string_view) override {}
};

ScriptedBridge::ScriptedBridge()
    : settings_(make_settings()),
      log_(silent()),
      scores_(std::make_unique<daemon::Scoreboard>()),
      use_{.memory = {.policy = {settings_.limits.memory, 1}, .give_back = [] {}}},
      reports_(std::make_unique<Reports>()),
      worker_(std::make_shared<bridge::WorkerInfo>()) {
  apps_.push_back(std::make_unique<bridge::SharedApp>());
  apps_.front()->settings = settings_.apps.front();
  apps_.front()->lanes = bridge::lanes_of(settings_, "shop");
  apps_.front()->state = daemon::channel::AppState::serving;
  const auto& all = sockets().listeners;
  thread_ = std::make_unique<bridge::Thread>(0, settings_, apps_, log_, *scores_, use_, *reports_,
                                             std::vector<int>(all.begin(), all.end()));
  thread_->reactor().start([] { return false; });
  thread_->accept();
  worker_->serial = 1;
  worker_->address = bridge::unix_destination(sockets().worker_path());
  thread_->reactor().post([this] { thread_->app(0).add(worker_, true); });
  settle();
}

ScriptedBridge::~ScriptedBridge() {
  while (!fronts_.empty()) close_front(0);
  while (!links_.empty()) close_worker(0);
  thread_.reset();
  // The next bridge is not to find connections of this one.
  for (int left; (left = ::accept(sockets().worker, nullptr, nullptr)) >= 0;) ::close(left);
}

void ScriptedBridge::take(Step step, unsigned argument, std::string_view bytes) {
  const std::size_t front = fronts_.empty() ? 0 : argument % fronts_.size();
  switch (step) {
    case Step::connect:
      if (fronts_.size() == kMostFronts) return;
      fronts_.push_back({connect_to(sockets().front(argument % 4)), argument % 4});
      break;
    case Step::send:
      if (!fronts_.empty()) send(fronts_[front].socket, bytes);
      break;
    case Step::leave:
      if (!fronts_.empty()) close_front(front);
      break;
    case Step::values:
      if (!links_.empty()) {
        NameValues values{{"FCGI_MPXS_CONNS", (argument & 1) != 0 ? "1" : "0"},
                          {"FCGI_MAX_REQS", std::to_string(1 + argument % 5)}};
        if ((argument & 2) != 0) values.emplace_back("VIADUCT_WINDOW", "16384");
        write_worker(*links_.back(), record(FCGI_GET_VALUES_RESULT, 0, pairs(values)));
      }
      break;
    case Step::worker_sends:
      if (!links_.empty()) write_worker(*links_.back(), bytes);
      break;
    case Step::respond:
      for (const auto& link : links_) {
        WorkerPeer& peer = *link;
        if (peer.active.empty()) continue;
        const auto chosen = peer.active[(argument & 0x7f) % peer.active.size()];
        const bool ends = (argument & 0x80) != 0;
        write_worker(peer, record(FCGI_STDOUT, chosen, bytes) + (ends ? end_record(chosen) : ""));
        break;
      }
      break;
    case Step::worker_closes:
      if (!links_.empty()) close_worker(links_.size() - 1);
      break;
    case Step::wait: {
      const auto time = kWaits[argument % kWaits.size()];
      wait(time, (argument & 0x80) != 0 ? time : std::chrono::milliseconds(1000));
      break;
    }
    case Step::kinds:
      break;
  }
  settle();
}

void ScriptedBridge::wait(std::chrono::milliseconds time, std::chrono::milliseconds step) {
  for (; time.count() > 0; time -= step) {
    advance_clock(std::min(time, step));
    {
      const bridge::Reactor::Event event(thread_->reactor());
      thread_->tick();
    }
    settle();
  }
}

// To be called when nothing has happened for far longer than any of them.
void ScriptedBridge::check_time_outs() {
  thread_->list_requests(0, 0, [](const bridge::RequestListing& listing) {
    for (const bridge::RequestEntry& request : listing.oldest) {
      // With a worker one may be for as long as its client likes, who has not sent its whole body.
      require(request.state != "queued" || request.age < std::chrono::minutes(2),
              "a request waits for ever");
    }
  });
}

void ScriptedBridge::finish() {
  wait(std::chrono::minutes(5), std::chrono::minutes(1));
  check_time_outs();
  while (!fronts_.empty()) close_front(0);
  settle();
  while (!links_.empty()) close_worker(0);
  thread_->reactor().post([this] {
    thread_->app(0).remove(worker_->serial, SIGKILL);
    thread_->drain({});
  });
  settle();
  require(thread_->drained(), "a request or a connection is left");
  require(use_.connections == 0, "connections are counted that are not there");
  require(worker_->active == 0, "a worker's slot stays taken");
  require(apps_.front()->queued == 0, "requests are counted that are not there");
  require(apps_.front()->gathering == 0, "bodies are gathered of requests that are not there");
  require(scores_->apps[0].active == 0 && scores_->apps[0].queued == 0, "gauges are not 0");
}

// Until nobody has anything to do.
void ScriptedBridge::settle() {
  for (std::size_t turn = 0; turn < kMostTurns; ++turn) {
    thread_->reactor().context().restart();
    const bool ran = thread_->reactor().context().poll() > 0;
    const bool worker = serve_worker();
    const bool front = read_fronts();
    if (!ran && !worker && !front) return;
  }
}

bool ScriptedBridge::serve_worker() {
  bool any = false;
  for (int made; (made = ::accept4(sockets().worker, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
    protocol::fastcgi::ServerOptions options;
    options.window = 16384;
    links_.push_back(std::make_unique<WorkerPeer>(made, options));
    any = true;
  }
  for (std::size_t i = links_.size(); i-- > 0;) {
    if (read_worker(*links_[i])) any = true;
    if (links_[i]->socket < 0) links_.erase(links_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return any;
}

bool ScriptedBridge::read_worker(WorkerPeer& peer) {
  bool ended = false;
  const std::string bytes = receive(peer.socket, ended);
  for (auto rest = protocol::as_bytes(bytes); !rest.empty() && peer.honest;) {
    rest = rest.subspan(peer.codec.feed(rest));
    for (Event event = peer.codec.next(); event.kind != Event::Kind::none;
         event = peer.codec.next()) {
      begin(peer, event);
    }
    require(peer.codec.error() == protocol::Errc::ok, protocol::describe(peer.codec.error()));
  }
  // What the codec would say by itself is for the script to say.
  static_cast<void>(drain(peer.codec.output()));
  if (ended) {
    ::close(peer.socket);
    peer.socket = -1;
  }
  return !bytes.empty() || ended;
}

// An id is free again from the moment in which the worker says so.
void ScriptedBridge::write_worker(WorkerPeer& peer, std::string_view bytes) {
  for (auto rest = protocol::as_bytes(send(peer.socket, bytes)); !rest.empty();) {
    protocol::fastcgi::RecordPiece piece;
    bool ready = false;
    rest = rest.subspan(peer.sent.read(rest, piece, ready));
    if (peer.sent.error() != protocol::Errc::ok) return;
    if (!ready || piece.type != FCGI_END_REQUEST || !piece.last || piece.content != 8) continue;
    peer.codec.end(piece.id, 0);
    if (std::erase(peer.active, piece.id) == 0) peer.honest = false;
  }
}

void ScriptedBridge::begin(WorkerPeer& peer, const Event& event) {
  require(event.kind != Event::Kind::refused, "a worker is sent what it has to refuse");
  if (event.kind != Event::Kind::request) return;
  peer.active.push_back(event.id);
  for (const auto [name, value] : event.head->params) {
    require(name != "HTTP_PROXY" && name != "HTTP_TRANSFER_ENCODING", "a variable passed");
    require(!name.starts_with("VIADUCT_") || name == "VIADUCT_DEADLINE_MS",
            "a front server that is not trusted said VIADUCT_*");
    require(value.find('\0') == std::string_view::npos, "NUL in a variable");
  }
}

bool ScriptedBridge::read_fronts() {
  bool any = false;
  for (std::size_t i = fronts_.size(); i-- > 0;) {
    bool ended = false;
    const std::string bytes = receive(fronts_[i].socket, ended);
    fronts_[i].received += bytes;
    if (ended) close_front(i);
    any = any || ended || !bytes.empty();
  }
  return any;
}

void ScriptedBridge::close_front(std::size_t index) {
  check_front(fronts_[index]);
  ::close(fronts_[index].socket);
  fronts_.erase(fronts_.begin() + static_cast<std::ptrdiff_t>(index));
}

void ScriptedBridge::close_worker(std::size_t index) {
  ::close(links_[index]->socket);
  links_.erase(links_.begin() + static_cast<std::ptrdiff_t>(index));
}

void ScriptedBridge::check_front(const FrontPeer& front) {
  const std::string_view got = front.received;
  constexpr std::array<std::string_view, 4> kBegins{"", "Status: ", "HTTP/1.1 ", "HTTP/1.1 "};
  const std::string_view begins = kBegins[front.protocol];
  require(got.substr(0, begins.size()) == begins.substr(0, got.size()),
          "a response does not begin as it should");
  if (front.protocol != 0) return;
  protocol::fastcgi::RecordReader reader;
  for (auto rest = protocol::as_bytes(got); !rest.empty();) {
    protocol::fastcgi::RecordPiece piece;
    bool ready = false;
    rest = rest.subspan(reader.read(rest, piece, ready));
    if (reader.error() != protocol::Errc::ok) return;  // a response that could not be completed
  }
}

}  // namespace viaduct::test
