// An application whose response heads are as large as it is asked for: `/BYTES/BODY`.
#include <viaduct/viaduct.hpp>

int main(int argc, char** argv) {
  viaduct::App app;
  app.get("/{head:int}/{body:int}", [](viaduct::Request& req, viaduct::Response& res) {
    for (auto left = req.arg<int>("head"); left > 0; left -= 1000) {
      res.headers().add("X-Large", std::string(1000, 'x'));
    }
    res.write(std::string(req.arg<std::size_t>("body"), 'y'));
  });
  return viaduct::run(argc, argv, app);
}
