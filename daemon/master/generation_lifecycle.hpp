#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace viaduct::daemon::master {

/// The life of a generation (one configuration with its bridge) as a pure state machine.
///
///                prepared             superseded             bridge_ended
///   preparing ------------> active ---------------> draining ------------> gone
///      | |                  ^    |                     |                    ^
///      | |     bridge_ended '----'                     | expired            |
///      | '-- abandoned -----------------------------> ending -- bridge_ended'
///      '---- bridge_ended --------------------------------------------------'
enum class GenerationState : std::uint8_t {
  preparing,  ///< the bridge starts, new workers become ready; the predecessor serves
  active,     ///< accepts connections
  draining,   ///< serves what is open
  ending,     ///< its bridge was killed
  gone,
};

enum class GenerationEvent : std::uint8_t {
  prepared,      ///< bridge and new workers are ready
  abandoned,     ///< they are not, or the daemon stops: the predecessor goes on
  superseded,    ///< a successor accepts, or the daemon stops
  expired,       ///< timeouts.stop passed
  bridge_ended,  ///< there is no bridge process any more
};

enum class GenerationAction : std::uint8_t {
  none,
  accept,
  drain,
  kill_bridge,
  restart_bridge,
  release,  ///< what only this generation has is of no use any more
};

struct GenerationStep {
  GenerationState next = GenerationState::gone;
  GenerationAction action = GenerationAction::none;
};

/// Nothing for a transition that must not happen.
std::optional<GenerationStep> advance(GenerationState state, GenerationEvent event);

std::string_view to_string(GenerationState state);
std::string_view to_string(GenerationEvent event);

}  // namespace viaduct::daemon::master
