// An application without run-time type information, and its test: each check that fails is a line.
#include <iostream>
#include <string>

#include <viaduct/testing.hpp>
#include <viaduct/viaduct.hpp>

namespace {

int failures = 0;

void expect(const std::string& got, const std::string& wanted) {
  if (got == wanted) return;
  std::cerr << '"' << got << "\" in place of \"" << wanted << "\"\n";
  ++failures;
}

struct Visitor {
  std::string name = "nobody";
};
struct Other {
  std::string name = "other";
};

void add_routes(viaduct::App& app) {
  app.use([](viaduct::Request& req, viaduct::Response& res, const viaduct::Handler& next) {
    req.local<Visitor>().name = "ann";
    next(req, res);
  });
  app.get("/", [](viaduct::Request& req, viaduct::Response& res) {
    res.send(req.local<Visitor>().name + ' ' + req.local<Other>().name);
  });
  app.get("/refuses", [](viaduct::Request&, viaduct::Response&) {
    throw viaduct::http_error(418, "short and stout");
  });
  app.get("/waits", [](viaduct::Request&, viaduct::Response& res) {
    viaduct::blocking([&res] { res.headers().set("X-Waited", "yes"); });
    res.send("waited");
  });
  app.get("/throws", [](viaduct::Request&, viaduct::Response&) { throw 42; });
}

}  // namespace

int main() {
  for (const auto via : {viaduct::testing::Via::direct, viaduct::testing::Via::fastcgi}) {
    viaduct::App app;
    add_routes(app);
    viaduct::testing::Client client(app, via);
    expect(client.get("/").body, "ann other");
    expect(client.get("/refuses").body, "short and stout\n");
    expect(client.get("/waits").body, "waited");
    expect(client.get("/throws").errors, "GET /throws: an exception of type int\n");
  }
  return failures == 0 ? 0 : 1;
}
