#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace viaduct::daemon::master {

/// The life of one worker process as a pure state machine: event in, next state and actions out.
///
///              answered              retire              idle, drain_expired
///   starting ------------> ready ------------> draining ----------------------> stopping
///      |  |                  |                    | replace                        ^
///      |  |                  | replace            v                                |
///      |  |                  '---------------> discarded -- stop_expired: SIGKILL -'
///      |  '-- retire, start_expired, replace ------------------------------------^
///      every state -- exited --> gone
enum class WorkerState : std::uint8_t {
  starting,   ///< forked; has not answered the bridge's first question
  ready,      ///< takes requests
  draining,   ///< takes no new requests, serves the ones it has
  discarded,  ///< cannot be used any more: was sent SIGTERM, may end its other requests
  stopping,   ///< was sent its last signal but SIGKILL and is expected to end
  gone,       ///< waitpid returned it
};

enum class WorkerEvent : std::uint8_t {
  answered,       ///< a bridge reports it ready, or without probe it has lived long enough
  start_expired,  ///< timeouts.start passed before that
  retire,         ///< not wanted any more: reload, stop
  replace,        ///< a bridge cannot use it any more
  idle,           ///< no bridge has a request with it
  drain_expired,  ///< timeouts.stop passed while draining
  stop_expired,   ///< it did not end after the signal
  exited,         ///< waitpid returned it
};

enum class WorkerAction : std::uint8_t {
  none,
  report_ready,   ///< tell every bridge that may use it
  tell_draining,  ///< the bridges give it no new requests; timeouts.stop begins
  free_place,     ///< a successor may be started
  signal_stop,    ///< stop_signal to its process group; timeouts.stop begins
  signal_term,    ///< SIGTERM to its process group; timeouts.stop begins
  hasten_kill,    ///< nothing is lost any more: timeouts.abort is all it gets from now on
  signal_kill,    ///< SIGKILL to its process group
  tell_dead,      ///< the bridges learn the status; always the last action
};

struct WorkerStep {
  WorkerState next = WorkerState::gone;
  std::array<WorkerAction, 3> actions{};  ///< in this order, filled up with none
};

/// Nothing for a transition that must not happen; the caller reports it and changes nothing.
std::optional<WorkerStep> advance(WorkerState state, WorkerEvent event);

std::string_view to_string(WorkerState state);
std::string_view to_string(WorkerEvent event);

}  // namespace viaduct::daemon::master
