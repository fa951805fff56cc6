// The tests of somebody else's application.

#include <iostream>

#include <viaduct/testing.hpp>
#include <viaduct/viaduct.hpp>

int main() {
  using viaduct::testing::Via;
  viaduct::App app;
  app.post("/greet", [](viaduct::Request& req, viaduct::Response& res) {
    if (req.body().length() == 0U) throw viaduct::http_error(400, "whom?");
    res.send("hello " + req.body().text());
  });
  for (const Via via : {Via::direct, Via::fastcgi, Via::scgi, Via::uwsgi, Via::http}) {
    viaduct::testing::Client client(app, via);
    const auto reply = client.post("/greet", "world", "text/plain");
    if (reply.status != 200 || reply.body != "hello world" || reply.aborted) {
      std::cerr << "transport " << static_cast<int>(via) << ": " << reply.status << ' '
                << reply.body << reply.errors << '\n';
      return 1;
    }
    if (client.post("/greet", "").status != 400) return 1;
  }
  return 0;
}
