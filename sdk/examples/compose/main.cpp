// One application of several parts: mounted routers, middleware around them, and an
// asynchronous client.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include <viaduct/viaduct.hpp>

#include "compose_app.hpp"

int main(int argc, char** argv) {
  const char* const password = std::getenv("ADMIN_PASSWORD");
  if (password == nullptr || *password == '\0') {
    std::cerr << "compose: ADMIN_PASSWORD is not set\n";
    return 78;
  }
  const auto time = [] {
    using namespace std::chrono;
    const auto now = duration_cast<seconds>(system_clock::now().time_since_epoch());
    return std::to_string(now.count());
  };
  compose::FingerServer finger;
  if (const char* const host = std::getenv("FINGER_HOST")) finger.host = host;
  const auto app = compose::make_app({.admin_password = password, .time = time, .finger = finger});
  return viaduct::run(argc, argv, *app);
}
