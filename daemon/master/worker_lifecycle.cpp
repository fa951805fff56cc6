#include "daemon/master/worker_lifecycle.hpp"

namespace viaduct::daemon::master {

namespace {

using S = WorkerState;
using E = WorkerEvent;
using A = WorkerAction;

WorkerStep stay(S state) {
  return {state, {}};
}

std::optional<WorkerStep> from_starting(E event) {
  switch (event) {
    case E::answered:
      return WorkerStep{S::ready, {A::report_ready}};
    case E::start_expired:
      return WorkerStep{S::stopping, {A::tell_draining, A::signal_kill}};
    case E::retire:
      return WorkerStep{S::stopping, {A::tell_draining, A::signal_stop}};
    case E::replace:
      return WorkerStep{S::stopping, {A::tell_draining, A::signal_kill}};
    case E::exited:
      return WorkerStep{S::gone, {A::free_place, A::tell_dead}};
    default:
      return std::nullopt;
  }
}

std::optional<WorkerStep> from_ready(E event) {
  switch (event) {
    // A second bridge may have asked while the worker was starting.
    case E::answered:
      return stay(S::ready);
    case E::retire:
      return WorkerStep{S::draining, {A::tell_draining}};
    case E::replace:
      return WorkerStep{S::discarded, {A::tell_draining, A::free_place, A::signal_term}};
    case E::exited:
      return WorkerStep{S::gone, {A::free_place, A::tell_dead}};
    default:
      return std::nullopt;
  }
}

std::optional<WorkerStep> from_draining(E event) {
  switch (event) {
    case E::answered:
    case E::retire:
      return stay(S::draining);
    case E::replace:
      return WorkerStep{S::discarded, {A::signal_term}};
    case E::idle:
    case E::drain_expired:
      return WorkerStep{S::stopping, {A::signal_stop}};
    case E::exited:
      return WorkerStep{S::gone, {A::free_place, A::tell_dead}};
    default:
      return std::nullopt;
  }
}

std::optional<WorkerStep> from_discarded(E event) {
  switch (event) {
    case E::answered:
    case E::retire:
    case E::replace:
      return stay(S::discarded);
    case E::idle:
      return WorkerStep{S::discarded, {A::hasten_kill}};
    case E::stop_expired:
      return WorkerStep{S::stopping, {A::signal_kill}};
    case E::exited:
      return WorkerStep{S::gone, {A::free_place, A::tell_dead}};
    default:
      return std::nullopt;
  }
}

std::optional<WorkerStep> from_stopping(E event) {
  switch (event) {
    // Sent before the bridge learned that the worker is leaving.
    case E::answered:
    case E::retire:
    case E::replace:
    case E::idle:
      return stay(S::stopping);
    case E::stop_expired:
      return WorkerStep{S::stopping, {A::signal_kill}};
    case E::exited:
      return WorkerStep{S::gone, {A::free_place, A::tell_dead}};
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<WorkerStep> advance(S state, E event) {
  switch (state) {
    case S::starting:
      return from_starting(event);
    case S::ready:
      return from_ready(event);
    case S::draining:
      return from_draining(event);
    case S::discarded:
      return from_discarded(event);
    case S::stopping:
      return from_stopping(event);
    case S::gone:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string_view to_string(S state) {
  switch (state) {
    case S::starting:
      return "starting";
    case S::ready:
      return "ready";
    case S::draining:
      return "draining";
    case S::discarded:
      return "discarded";
    case S::stopping:
      return "stopping";
    case S::gone:
      return "gone";
  }
  return "?";
}

std::string_view to_string(E event) {
  switch (event) {
    case E::answered:
      return "answered";
    case E::start_expired:
      return "start_expired";
    case E::retire:
      return "retire";
    case E::replace:
      return "replace";
    case E::idle:
      return "idle";
    case E::drain_expired:
      return "drain_expired";
    case E::stop_expired:
      return "stop_expired";
    case E::exited:
      return "exited";
  }
  return "?";
}

}  // namespace viaduct::daemon::master
