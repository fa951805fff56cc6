// An application that starts for as long as its standard input is open.
#include <cstdio>

#include <viaduct/viaduct.hpp>

int main(int argc, char** argv) {
  viaduct::App app;
  app.on_startup([] {
    while (std::getchar() != EOF) continue;
  });
  app.get("/", [](viaduct::Request&, viaduct::Response& res) { res.send("started\n"); });
  return viaduct::run(argc, argv, app);
}
