// /orders of the shop, moved to C++: the same paths, the same answers.
#include <array>
#include <string>

#include <viaduct/viaduct.hpp>

int main(int argc, char** argv) {
  constexpr std::array orders{"two bolts", "a nut"};
  viaduct::App app;
  app.get("/orders", [&](viaduct::Request&, viaduct::Response& response) {
    std::string text;
    for (std::size_t i = 0; i < orders.size(); ++i) {
      text += std::to_string(i + 1) + ": " + orders[i] + "\n";
    }
    response.headers().set("X-Served-By", "C++");
    response.send(text);
  });
  app.post("/orders", [](viaduct::Request& request, viaduct::Response& response) {
    response.headers().set("X-Served-By", "C++");
    response.status(201).send("ordered: " + request.body().text() + "\n");
  });
  return viaduct::run(argc, argv, app);
}
