#include "tests/daemon/bridge/fake_worker.hpp"

#include <fastcgi.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "tests/daemon/bridge/wire_text.hpp"

namespace viaduct::daemon::bridge::testing {

namespace fcgi = protocol::fastcgi;

// ---- WorkerRequest

WorkerRequest::WorkerRequest(WorkerLink& owner, protocol::RequestId number, protocol::Pairs given)
    : link(&owner), id(number), params(std::move(given)) {
  if (owner.bridge_window() != 0) to_bridge = fcgi::SendCredit(owner.bridge_window());
}

void WorkerRequest::write(std::string_view bytes) {
  pending += bytes;
  if (link != nullptr) link->pump(*this);
}

void WorkerRequest::errors(std::string_view bytes) {
  if (link == nullptr) return;
  link->codec().errors(id, protocol::as_bytes(bytes));
  link->send();
}

void WorkerRequest::end(std::uint32_t app_status) {
  end_status = app_status;
  if (link != nullptr) link->pump(*this);
}

void WorkerRequest::respond(std::string_view text, int status) {
  write("Status: " + std::to_string(status) +
        " Whatever\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(text.size()) +
        "\r\n\r\n");
  write(text);
  end();
}

void WorkerRequest::overloaded() {
  if (link == nullptr) return;
  WorkerLink& from = *link;
  from.codec().overloaded(id);
  from.forget(*this);
  from.send();
}

void WorkerRequest::trace(std::string_view text) {
  if (link == nullptr) return;
  link->codec().trace(id, text);
  link->send();
}

std::string WorkerRequest::param(std::string_view name) const {
  return std::string(params.get(name).value_or(""));
}

// ---- WorkerLink

namespace {

fcgi::ServerOptions server_options(const WorkerOptions& options) {
  fcgi::ServerOptions server;
  server.limits.params = 1024 * 1024;
  server.limits.value = 1024 * 1024;
  server.max_reqs = options.max_reqs;
  server.prefetch = options.prefetch;
  server.model = options.model;
  server.multiplex = options.multiplex;
  server.window = options.window;
  return server;
}

}  // namespace

WorkerLink::WorkerLink(FakeWorker& worker, int descriptor)
    : worker_(worker), stream_(descriptor), codec_(server_options(worker.options())) {
  worker_.stage().add(*this);
}

WorkerLink::~WorkerLink() {
  worker_.stage().remove(*this);
  close();
}

bool WorkerLink::taken() const {
  int queued = 0;
  ::ioctl(stream_.descriptor(), SIOCOUTQ, &queued);
  return stream_.unsent() == 0 && queued == 0;
}

void WorkerLink::raw(std::string_view bytes) {
  stream_.write(bytes);
}

void WorkerLink::close() {
  stream_.close();
  for (const auto& request : active_) request->link = nullptr;
  active_.clear();
}

void WorkerLink::pump(WorkerRequest& request) {
  const std::size_t count =
      std::min<std::size_t>(request.pending.size(), request.to_bridge.available());
  if (count > 0 && !request.aborted) {
    codec_.body(request.id, protocol::as_bytes(request.pending).first(count));
    codec_.output().settle();
    request.to_bridge.spend(static_cast<std::uint32_t>(count));
    request.pending.erase(0, count);
  }
  if (request.end_status && (request.pending.empty() || request.aborted)) {
    codec_.end(request.id, *request.end_status);
    forget(request);
  }
  send();
}

void WorkerLink::forget(WorkerRequest& request) {
  request.link = nullptr;
  std::erase_if(active_, [&](const auto& other) { return other.get() == &request; });
}

void WorkerLink::send() {
  stream_.write(take_text(codec_.output()));
  if (codec_.closing() && stream_.unsent() == 0) close();
}

void WorkerLink::ready(short events) {
  if ((events & POLLOUT) != 0) stream_.flush();
  if (codec_.closing() && stream_.unsent() == 0) return close();
  if ((events & (POLLIN | POLLERR)) == 0 || closed()) return;
  // Less than a record with a body.
  const std::string bytes = leaves_bodies_ ? stream_.read(8) : stream_.read();
  if (stream_.ended) return close();
  for (auto rest = protocol::as_bytes(bytes); !rest.empty();) {
    const std::size_t taken = codec_.feed(rest);
    scan(rest.first(taken));
    rest = rest.subspan(taken);
    for (auto event = codec_.next(); event.kind != protocol::Event::Kind::none;
         event = codec_.next()) {
      take(event);
    }
    if (codec_.error() != protocol::Errc::ok) {
      cheated_ = true;
      return close();
    }
  }
  send();
}

void WorkerLink::scan(protocol::Bytes bytes) {
  while (!bytes.empty()) {
    fcgi::RecordPiece piece;
    bool whole = false;
    bytes = bytes.subspan(scanner_.read(bytes, piece, whole));
    if (!whole) continue;
    if (piece.type == FCGI_ABORT_REQUEST && piece.last) ++aborts;
    if (piece.type != FCGI_BEGIN_REQUEST) continue;
    if (piece.first) begin_ = {};
    begin_.append(piece);
    if (piece.last) keep_ = (begin_.byte(2) & FCGI_KEEP_CONN) != 0;
  }
}

WorkerRequest* WorkerLink::find(protocol::RequestId id) {
  const auto found = std::find_if(active_.begin(), active_.end(),
                                  [id](const auto& request) { return request->id == id; });
  return found == active_.end() ? nullptr : found->get();
}

void WorkerLink::take(const protocol::Event& event) {
  using Kind = protocol::Event::Kind;
  if (event.kind == Kind::window) {
    bridge_window_ = event.count;
    return;
  }
  if (event.kind == Kind::request) {
    ++requests;
    active_.push_back(
        std::make_shared<WorkerRequest>(*this, event.id, std::move(event.head->params)));
    active_.back()->role = event.head->role;
    active_.back()->keep = keep_;
    if (worker_.options().window) {
      active_.back()->from_bridge = fcgi::ReceiveCredit(*worker_.options().window);
    }
    worker_.requests.push_back(active_.back());
    if (leaves_bodies_) stream_.reading = false;
    return;
  }
  WorkerRequest* request = find(event.id);
  if (request == nullptr) return;
  switch (event.kind) {
    case Kind::body:
    case Kind::data: {
      const auto count = static_cast<std::uint32_t>(event.bytes.size());
      std::string& stream = event.kind == Kind::body ? request->body : request->data;
      stream += protocol::as_text(event.bytes);
      if (!request->from_bridge.received(count)) cheated_ = true;
      if (!worker_.options().return_credit) break;
      request->from_bridge.passed_on(count);
      if (const auto due = request->from_bridge.take_due()) codec_.credit(event.id, due);
      break;
    }
    case Kind::body_end:
      request->body_ended = true;
      break;
    case Kind::data_end:
      request->data_ended = true;
      break;
    case Kind::trace:
      ++request->traces;
      break;
    case Kind::abort:
      request->aborted = true;
      request->traced_first = request->traces > 0;
      if (request->end_status) pump(*request);  // what it still had to say is void
      break;
    case Kind::credit:
      if (!request->to_bridge.grant(event.count)) cheated_ = true;
      pump(*request);
      break;
    default:
      break;
  }
}

// ---- FakeWorker

FakeWorker::FakeWorker(Stage& stage, std::string path, const WorkerOptions& options)
    : stage_(stage),
      path_(std::move(path)),
      options_(options),
      listener_(options.tcp ? listen_on_loopback(port_) : listen_at(path_)) {
  stage_.add(*this);
}

FakeWorker::~FakeWorker() {
  stage_.remove(*this);
  if (listener_ >= 0) ::close(listener_);
}

std::shared_ptr<WorkerRequest> FakeWorker::next_request() {
  if (!stage_.run_until([&] { return has_request(); })) return nullptr;
  return requests[taken_++];
}

void FakeWorker::die() {
  if (listener_ >= 0) ::close(listener_);
  listener_ = -1;
  for (const auto& link : all_links) link->close();
}

std::vector<WorkerLink*> FakeWorker::links() const {
  std::vector<WorkerLink*> open;
  for (const auto& link : all_links) {
    if (!link->closed()) open.push_back(link.get());
  }
  return open;
}

short FakeWorker::wanted() const {
  return accepting_ ? POLLIN : 0;
}

void FakeWorker::ready(short) {
  const int accepted = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) all_links.push_back(std::make_unique<WorkerLink>(*this, accepted));
}

}  // namespace viaduct::daemon::bridge::testing
