#include <viaduct/viaduct.hpp>

int main(int argc, char** argv) {
  viaduct::App app;
  app.get("/users/{id:int}", [](viaduct::Request& req, viaduct::Response& res) {
    req.log(viaduct::Level::info, "user ", req.arg<int>("id"));
    res.send(viaduct::html_escape(req.local<std::string>()));
    if (res.status() == 404) throw viaduct::http_error(404, "Not Found");
  });
  viaduct::Mutex mutex;
  const std::lock_guard lock(mutex);
  viaduct::sleep_for(std::chrono::milliseconds(0));
  viaduct::blocking([] { viaduct::log(viaduct::Level::debug, "working"); });
  return viaduct::run(argc, argv, app);
}
