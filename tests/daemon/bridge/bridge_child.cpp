#include "daemon/bridge/bridge.hpp"

int main() {
  return viaduct::daemon::bridge::run();
}
