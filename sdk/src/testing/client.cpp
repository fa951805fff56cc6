#include <algorithm>
#include <stdexcept>

#include <viaduct/testing.hpp>

#include "sdk/src/testing/app_run.hpp"
#include "sdk/src/testing/cookie_jar.hpp"
#include "sdk/src/testing/direct_call.hpp"
#include "sdk/src/testing/outgoing.hpp"
#include "sdk/src/testing/reply_builder.hpp"
#include "sdk/src/testing/served_app.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace

struct Client::State {
  State(App& under_test, Via transport)
      : app(under_test), via(transport), run(AppRun::of(under_test)) {
    if (via != Via::direct) served.emplace(app, via);
    fields.set("Host", "localhost");
  }

  // Browsers take a host of this machine for secure.
  [[nodiscard]] bool secure() const {
    for (const auto& [name, value] : env) {
      if ((name == "HTTPS" && value == "on") || (name == "REQUEST_SCHEME" && value == "https")) {
        return true;
      }
    }
    const std::string_view host = fields.get("Host").value_or("");
    return host.substr(0, host.find(':')) == "localhost";
  }

  [[nodiscard]] Outgoing prepare(std::string_view method, std::string_view target,
                                 const Fields& more) const;
  Reply send(Outgoing request);

  App& app;
  const Via via;
  AppRun& run;
  std::optional<ServedApp> served;
  Fields fields;
  std::vector<std::pair<std::string, std::string>> env;
  CookieJar cookies;
  std::optional<std::size_t> leave_after;
  std::chrono::milliseconds timeout{30000};
};

Outgoing Client::State::prepare(std::string_view method, std::string_view target,
                                const Fields& more) const {
  if (!target.starts_with('/') && target != "*") {
    throw std::invalid_argument("request target \"" + std::string(target) +
                                "\" does not begin with '/'");
  }
  Outgoing request;
  request.method = method;
  request.target = target;
  request.fields = fields;
  request.env = env;
  for (const auto& [name, value] : more.items()) request.fields.erase(name);
  for (const auto& [name, value] : more.items()) request.fields.add(name, value);
  const std::string jar =
      cookies.header(path_of(target), secure(), std::chrono::steady_clock::now());
  if (!jar.empty() && !request.fields.get("Cookie")) request.fields.set("Cookie", jar);
  return request;
}

Reply Client::State::send(Outgoing request) {
  const auto given = [&](std::string_view name) -> std::optional<std::string> {
    for (const auto& [known, value] : env) {
      if (known == name) return value;
    }
    return std::nullopt;
  };
  std::string id =
      given("REQUEST_ID").value_or(std::string(request.fields.get("X-Request-Id").value_or("")));
  if (id.empty()) {
    id = run.new_id();
    request.id = id;
  }
  ReplyBuilder builder(std::exchange(leave_after, std::nullopt));
  run.collect(id);
  try {
    if (via == Via::direct) {
      run.enter_thread();
      call_directly(app, request, builder);
    } else {
      served->exchange(request, builder, timeout);
    }
  } catch (...) {
    (void)run.collected(id);
    throw;
  }
  Reply reply = builder.take();
  reply.errors = run.collected(id);
  cookies.store(reply.headers, path_of(request.target), std::chrono::steady_clock::now());
  return reply;
}

Client::Client(App& app, Via via) : state_(std::make_unique<State>(app, via)) {}
Client::Client(Client&& other) noexcept = default;
Client& Client::operator=(Client&& other) noexcept = default;
Client::~Client() = default;

Client& Client::header(std::string_view name, std::string_view value) {
  state_->fields.set(name, value);
  return *this;
}

Client& Client::env(std::string_view name, std::string_view value) {
  if (state_->via == Via::http) {
    throw std::logic_error("HTTP has no variables: " + std::string(name) + " cannot be sent");
  }
  auto& env = state_->env;
  const auto known =
      std::find_if(env.begin(), env.end(), [name](const auto& item) { return item.first == name; });
  if (known != env.end()) {
    known->second = value;
  } else {
    env.emplace_back(name, value);
  }
  return *this;
}

Client& Client::disconnect_after(std::size_t response_bytes) {
  state_->leave_after = response_bytes;
  return *this;
}

Client& Client::timeout(std::chrono::milliseconds limit) {
  state_->timeout = limit;
  return *this;
}

std::optional<std::string> Client::cookie(std::string_view name) const {
  return state_->cookies.value(name, std::chrono::steady_clock::now());
}

Client& Client::clear_cookies() {
  state_->cookies.clear();
  return *this;
}

Reply Client::get(std::string_view target) {
  return request("GET", target);
}

Reply Client::post(std::string_view target, std::string_view body, std::string_view type) {
  return typed("POST", target, body, type);
}

Reply Client::post(std::string_view target, const Multipart& form) {
  return typed("POST", target, form.body(), form.type());
}

Reply Client::put(std::string_view target, std::string_view body, std::string_view type) {
  return typed("PUT", target, body, type);
}

Reply Client::patch(std::string_view target, std::string_view body, std::string_view type) {
  return typed("PATCH", target, body, type);
}

Reply Client::del(std::string_view target) {
  return request("DELETE", target);
}

Reply Client::typed(std::string_view method, std::string_view target, std::string_view body,
                    std::string_view type) {
  Fields fields;
  if (!type.empty()) fields.set("Content-Type", type);
  return request(method, target, body, fields);
}

Reply Client::request(std::string_view method, std::string_view target, std::string_view body,
                      const Fields& headers) {
  Outgoing request = state_->prepare(method, target, headers);
  if (!body.empty()) request.pieces.emplace_back(body);
  return state_->send(std::move(request));
}

Reply Client::request(std::string_view method, std::string_view target,
                      std::vector<std::string> chunks) {
  Outgoing request = state_->prepare(method, target, {});
  request.pieces = std::move(chunks);
  request.chunked = true;
  return state_->send(std::move(request));
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
