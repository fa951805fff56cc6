#include "daemon/master/place.hpp"

namespace viaduct::daemon::master {

namespace {

using S = PlaceState;
using E = PlaceEvent;
using A = PlaceAction;

std::optional<PlaceStep> from_held(E event) {
  switch (event) {
    case E::recycle:
      return PlaceStep{S::relieving, A::launch_successor};
    case E::lost:
      return PlaceStep{S::vacant, A::back_off};
    default:
      return std::nullopt;
  }
}

std::optional<PlaceStep> from_relieving(E event) {
  switch (event) {
    case E::relieved:
      return PlaceStep{S::held, A::relieve};
    case E::lost:
      return PlaceStep{S::held, A::promote};
    case E::successor_lost:
      return PlaceStep{S::held, A::recycle_later};
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<PlaceStep> advance(S state, E event) {
  switch (state) {
    case S::vacant:
      if (event == E::due) return PlaceStep{S::held, A::launch};
      return std::nullopt;
    case S::held:
      return from_held(event);
    case S::relieving:
      return from_relieving(event);
  }
  return std::nullopt;
}

std::string_view to_string(S state) {
  switch (state) {
    case S::vacant:
      return "vacant";
    case S::held:
      return "held";
    case S::relieving:
      return "relieving";
  }
  return "?";
}

std::string_view to_string(E event) {
  switch (event) {
    case E::due:
      return "due";
    case E::recycle:
      return "recycle";
    case E::relieved:
      return "relieved";
    case E::lost:
      return "lost";
    case E::successor_lost:
      return "successor_lost";
  }
  return "?";
}

}  // namespace viaduct::daemon::master
