#pragma once

#include <memory>

#include <viaduct/app.hpp>

#include "room.hpp"

namespace events {

/// A page with a clock and a chat, and the event streams behind them:
///
///     GET  /        the page
///     GET  /clock   an event `tick` every second
///     GET  /chat    an event `chat` for everything that is said, from Last-Event-ID on
///     POST /chat    says the body
///
/// `room` outlives the app.
[[nodiscard]] std::unique_ptr<viaduct::App> make_app(Room& room);

}  // namespace events
