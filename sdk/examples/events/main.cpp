// A clock and a chat by Server-Sent Events. The room is this process's: run one worker.
#include <viaduct/viaduct.hpp>

#include "events_app.hpp"

int main(int argc, char** argv) {
  events::Room room;
  const auto app = events::make_app(room);
  return viaduct::run(argc, argv, *app);
}
