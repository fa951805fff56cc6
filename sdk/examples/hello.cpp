#include <viaduct/viaduct.hpp>

int main(int argc, char** argv) {
  viaduct::App app;
  app.get("/", [](viaduct::Request&, viaduct::Response& res) { res.send("Hello, world\n"); });
  return viaduct::run(argc, argv, app);
}
