#include "events_app.hpp"

#include <charconv>
#include <chrono>

#include <viaduct/event_stream.hpp>
#include <viaduct/viaduct.hpp>

namespace events {
namespace {

using viaduct::Request;
using viaduct::Response;

constexpr std::size_t kMaxMessage = 1000;

constexpr const char* kPage = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Events</title>
<p id="clock"></p>
<form id="say"><input id="text" maxlength="250" autofocus> <button>Say</button></form>
<ul id="chat"></ul>
<script>
const element = (id) => document.getElementById(id);
new EventSource('clock').addEventListener('tick', (e) => element('clock').textContent = e.data);
new EventSource('chat').addEventListener('chat', (e) => {
  const line = document.createElement('li');
  line.textContent = e.data;
  element('chat').append(line);
});
element('say').addEventListener('submit', (e) => {
  e.preventDefault();
  fetch('chat', {method: 'POST', body: element('text').value});
  element('text').value = '';
});
</script>
</html>
)";

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Neither loop needs an end: waiting and sending throw when the stream has to.
void clock(Request& req, Response& res) {
  viaduct::EventStream stream(req, res);
  while (true) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    stream.send(std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count()),
                "tick");
    viaduct::sleep_for(std::chrono::seconds(1));
  }
}

void chat(Room& room, Request& req, Response& res) {
  const auto inbox = room.listen(number_of(req.headers().get("Last-Event-ID").value_or("")));
  if (!inbox) throw viaduct::http_error(503, "The room is full.");
  viaduct::EventStream stream(req, res);
  while (const auto message = inbox->pop()) {
    stream.send(message->text, "chat", std::to_string(message->id));
  }
}

}  // namespace

std::unique_ptr<viaduct::App> make_app(Room& room) {
  auto app = std::make_unique<viaduct::App>();
  app->model(viaduct::Model::fibers);  // a listener costs a stack, not a thread
  app->get("/", [](Request&, Response& res) { res.type("text/html; charset=utf-8").send(kPage); });
  app->get("/clock", clock);
  app->get("/chat", [&room](Request& req, Response& res) { chat(room, req, res); });
  app->post("/chat", [&room](Request& req, Response& res) {
    std::string text = req.body().text(kMaxMessage);
    if (text.empty()) throw viaduct::http_error(400, "Say something.");
    room.say(std::move(text));
    res.status(204);
  });
  return app;
}

}  // namespace events
