#include <httplib.h>

int main() {
  httplib::Server server;
  server.Get("/", [](const httplib::Request&, httplib::Response& res) {
    res.set_content("Hello, world\n", "text/plain; charset=utf-8");
  });
  return server.listen("127.0.0.1", 8080) ? 0 : 1;
}
