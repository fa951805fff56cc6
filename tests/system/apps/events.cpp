// Event streams over a sequence that every process agrees on: event n happens n * EVERY_MS after
// the second START (both of the environment, of the system clock). A stream goes on behind the
// event that the client received last, and begins with the next one otherwise. X-Worker is the pid.
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <viaduct/viaduct.hpp>

namespace {

using std::chrono::milliseconds;

std::int64_t number(const char* name) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::atoll(text) : 0;
}

milliseconds now() {
  return std::chrono::duration_cast<milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
}

}  // namespace

int main(int argc, char** argv) {
  const milliseconds start(number("START") * 1000);
  const milliseconds every(number("EVERY_MS"));
  viaduct::App app;
  app.model(viaduct::Model::fibers);
  app.get("/events", [=](viaduct::Request& req, viaduct::Response& res) {
    res.headers().set("X-Worker", std::to_string(::getpid()));
    viaduct::EventStream events(req, res);
    const std::string last(events.last_event_id());
    std::int64_t event = last.empty() ? (now() - start) / every : std::atoll(last.c_str());
    while (true) {
      ++event;
      const milliseconds left = start + event * every - now();
      viaduct::sleep_for(left);
      events.send("event " + std::to_string(event), "tick", std::to_string(event));
    }
  });
  return viaduct::run(argc, argv, app);
}
