#include "daemon/master/generation_lifecycle.hpp"

namespace viaduct::daemon::master {

namespace {

using S = GenerationState;
using E = GenerationEvent;
using A = GenerationAction;

std::optional<GenerationStep> from_preparing(E event) {
  switch (event) {
    case E::prepared:
      return GenerationStep{S::active, A::accept};
    case E::abandoned:
      return GenerationStep{S::ending, A::kill_bridge};
    case E::bridge_ended:
      return GenerationStep{S::gone, A::release};
    default:
      return std::nullopt;
  }
}

std::optional<GenerationStep> from_active(E event) {
  switch (event) {
    case E::superseded:
      return GenerationStep{S::draining, A::drain};
    case E::bridge_ended:
      return GenerationStep{S::active, A::restart_bridge};
    default:
      return std::nullopt;
  }
}

std::optional<GenerationStep> from_draining(E event) {
  switch (event) {
    case E::superseded:
      return GenerationStep{S::draining, A::none};
    case E::expired:
      return GenerationStep{S::ending, A::kill_bridge};
    case E::bridge_ended:
      return GenerationStep{S::gone, A::release};
    default:
      return std::nullopt;
  }
}

std::optional<GenerationStep> from_ending(E event) {
  switch (event) {
    case E::abandoned:
    case E::superseded:
    case E::expired:
      return GenerationStep{S::ending, A::none};
    case E::bridge_ended:
      return GenerationStep{S::gone, A::release};
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<GenerationStep> advance(S state, E event) {
  switch (state) {
    case S::preparing:
      return from_preparing(event);
    case S::active:
      return from_active(event);
    case S::draining:
      return from_draining(event);
    case S::ending:
      return from_ending(event);
    case S::gone:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string_view to_string(S state) {
  switch (state) {
    case S::preparing:
      return "preparing";
    case S::active:
      return "active";
    case S::draining:
      return "draining";
    case S::ending:
      return "ending";
    case S::gone:
      return "gone";
  }
  return "?";
}

std::string_view to_string(E event) {
  switch (event) {
    case E::prepared:
      return "prepared";
    case E::abandoned:
      return "abandoned";
    case E::superseded:
      return "superseded";
    case E::expired:
      return "expired";
    case E::bridge_ended:
      return "bridge_ended";
  }
  return "?";
}

}  // namespace viaduct::daemon::master
