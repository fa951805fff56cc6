#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace viaduct::daemon::master {

/// One place of a pool as a pure state machine. A worker that has served long enough holds its
/// place until its successor is ready, so that a replacement never costs capacity.
///
///             due                    recycle
///   vacant ---------> held --------------------------> relieving
///     ^                |  ^                              |
///     '----- lost -----'  '-- relieved, successor_lost, -'
///                              lost
enum class PlaceState : std::uint8_t {
  vacant,     ///< nobody; a worker is started when its back-off is over
  held,       ///< by a worker, starting or ready
  relieving,  ///< by a worker, and its successor is being started
};

enum class PlaceEvent : std::uint8_t {
  due,             ///< a worker is wanted now
  recycle,         ///< the holder is to be replaced
  relieved,        ///< the successor is ready
  lost,            ///< the holder ended, or cannot be used any more
  successor_lost,  ///< the successor ended before it was ready
};

enum class PlaceAction : std::uint8_t {
  none,
  launch,            ///< start a worker, which holds the place
  launch_successor,  ///< start a worker beside the holder
  promote,           ///< the successor holds the place
  relieve,           ///< the same, and the holder is drained
  back_off,          ///< wait, then `due`
  recycle_later,     ///< wait, then the holder may be recycled again
};

struct PlaceStep {
  PlaceState next = PlaceState::vacant;
  PlaceAction action = PlaceAction::none;
};

/// Nothing for a transition that must not happen.
std::optional<PlaceStep> advance(PlaceState state, PlaceEvent event);

std::string_view to_string(PlaceState state);
std::string_view to_string(PlaceEvent event);

}  // namespace viaduct::daemon::master
