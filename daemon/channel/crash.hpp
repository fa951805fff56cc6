#pragma once

namespace viaduct::daemon::channel {

/// Whether a worker that ended with that status of waitpid has crashed by itself: by a signal that
/// errors cause, or with an exit status other than 0. Signals that others send say nothing about
/// the requests it had; neither does SIGKILL, whoever sent it.
bool crashed(int status);

/// The former alone: what is a crash even of a worker that was told to end.
bool killed_by_error(int status);

}  // namespace viaduct::daemon::channel
