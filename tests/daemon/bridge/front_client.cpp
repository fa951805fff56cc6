#include "tests/daemon/bridge/front_client.hpp"

#include <poll.h>

#include <array>
#include <cstdlib>

#include "tests/daemon/bridge/wire_text.hpp"

namespace viaduct::daemon::bridge::testing {

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

}  // namespace

std::string Answer::field(std::string_view name) const {
  const std::string head = "\r\n" + output.substr(0, output.find(kHeadEnd)) + "\r\n";
  const std::string wanted = "\r\n" + std::string(name) + ": ";
  const std::size_t at = head.find(wanted);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + wanted.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

int Answer::status() const {
  return std::atoi(field("Status").c_str());
}

std::string Answer::body() const {
  const std::size_t at = output.find(kHeadEnd);
  return at == std::string::npos ? std::string() : output.substr(at + kHeadEnd.size());
}

protocol::Pairs variables(std::string_view method, std::string_view path, Variables more) {
  protocol::Pairs params;
  params.add("GATEWAY_INTERFACE", "CGI/1.1");
  params.add("REQUEST_METHOD", method);
  params.add("QUERY_STRING", "");
  params.add("CONTENT_LENGTH", "");
  params.add("SCRIPT_NAME", path);
  params.add("REQUEST_URI", path);
  params.add("SERVER_PROTOCOL", "HTTP/1.1");
  params.add("REMOTE_ADDR", "127.0.0.1");
  params.add("HTTP_HOST", "example.org");
  for (const auto& [name, value] : more) params.set(name, value);
  return params;
}

FrontClient::FrontClient(Stage& stage, const std::string& path)
    : stage_(stage), stream_(connect_to(path)) {
  stage_.add(*this);
}

FrontClient::~FrontClient() {
  stage_.remove(*this);
}

void FrontClient::begin(protocol::RequestId id, const protocol::Pairs& params, bool keep,
                        protocol::Role role) {
  answers_[id] = {};
  codec_.begin(id, role, keep);
  codec_.params(id, params);
  send();
}

void FrontClient::body(protocol::RequestId id, std::string_view bytes) {
  codec_.input(id, protocol::as_bytes(bytes));
  send();
}

void FrontClient::body_end(protocol::RequestId id) {
  codec_.input_end(id);
  send();
}

void FrontClient::data(protocol::RequestId id, std::string_view bytes) {
  codec_.data(id, protocol::as_bytes(bytes));
  send();
}

void FrontClient::data_end(protocol::RequestId id) {
  codec_.data_end(id);
  send();
}

void FrontClient::abort(protocol::RequestId id) {
  codec_.abort(id);
  send();
}

void FrontClient::get(protocol::RequestId id, std::string_view path, bool keep) {
  request(id, variables("GET", path), "", keep);
}

void FrontClient::request(protocol::RequestId id, const protocol::Pairs& params,
                          std::string_view bytes, bool keep) {
  answers_[id] = {};
  codec_.begin(id, protocol::Role::responder, keep);
  codec_.params(id, params);
  if (!bytes.empty()) codec_.input(id, protocol::as_bytes(bytes));
  codec_.input_end(id);
  send();
}

void FrontClient::post(protocol::RequestId id, std::string_view path, std::string_view body_bytes,
                       bool keep) {
  const std::string length = std::to_string(body_bytes.size());
  begin(id, variables("POST", path, {{"CONTENT_LENGTH", length}}), keep);
  body(id, body_bytes);
  body_end(id);
}

void FrontClient::send() {
  stream_.write(take_text(codec_.output()));
}

bool FrontClient::wait(protocol::RequestId id) {
  stage_.run_until([&] { return answers_[id].ended || closed() || broken(); });
  return answers_[id].ended;
}

bool FrontClient::wait_closed() {
  return stage_.run_until([&] { return closed(); });
}

void FrontClient::ready(short events) {
  if ((events & POLLOUT) != 0) stream_.flush();
  if ((events & (POLLIN | POLLERR)) == 0 || descriptor() < 0) return;
  const std::string bytes = stream_.read();
  for (auto rest = protocol::as_bytes(bytes); !rest.empty() && !broken();) {
    rest = rest.subspan(codec_.feed(rest));
    for (auto event = codec_.next(); event.kind != protocol::fastcgi::ClientEvent::Kind::none;
         event = codec_.next()) {
      take(event);
    }
  }
}

void FrontClient::take(const protocol::fastcgi::ClientEvent& event) {
  using Kind = protocol::fastcgi::ClientEvent::Kind;
  Answer& answer = answers_[event.id];
  if (event.kind == Kind::output) answer.output += protocol::as_text(event.bytes);
  if (event.kind == Kind::errors) answer.errors += protocol::as_text(event.bytes);
  if (event.kind != Kind::end) return;
  answer.ended = true;
  answer.app_status = event.app_status;
  answer.protocol_status = event.protocol_status;
}

ScgiClient::ScgiClient(Stage& stage, const std::string& path)
    : stage_(stage), stream_(connect_to(path)) {
  stage_.add(*this);
}

ScgiClient::~ScgiClient() {
  stage_.remove(*this);
}

void ScgiClient::head(const protocol::Pairs& params, std::uint64_t length) {
  std::string block;
  const auto add = [&](std::string_view name, std::string_view value) {
    block += name;
    block += '\0';
    block += value;
    block += '\0';
  };
  add("CONTENT_LENGTH", std::to_string(length));
  add("SCGI", "1");
  for (const auto& [name, value] : params) {
    if (name != "CONTENT_LENGTH") add(name, value);
  }
  raw(std::to_string(block.size()) + ":" + block + ",");
}

bool ScgiClient::wait_closed() {
  return stage_.run_until([&] { return stream_.ended; });
}

void ScgiClient::ready(short events) {
  if ((events & POLLOUT) != 0) stream_.flush();
  if ((events & (POLLIN | POLLERR)) != 0 && descriptor() >= 0) answer_.output += stream_.read();
}

}  // namespace viaduct::daemon::bridge::testing
