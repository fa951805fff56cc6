#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace viaduct::daemon::channel {

/// Messages between master and bridge. To the bridge they go through a SEQPACKET socket, some with
/// one descriptor attached (channel.hpp); to the master through a pipe, which carries no descriptor
/// (message_pipe.hpp). Both ends are the same binary, so the layout is the machine's own.
///
/// Apps are named by their index in the bridge's settings, workers by a serial that the master
/// never uses twice.
enum class Type : std::uint32_t {
  // master -> bridge
  worker_added,     ///< app, serial, pid, path, count (the number in its name): connect and ask;
                    ///< `shared`: it already serves another
                    ///< bridge, so its answer has no deadline and is no readiness report
  worker_draining,  ///< serial: give it no new requests
  worker_dead,      ///< serial, status (of waitpid): its requests are lost; count 1: tell which,
                    ///< with requests_lost; descriptor: the memory for that (answer_memory.hpp)
  app_state,        ///< app, state, count: seconds for Retry-After
  log_target,       ///< target, app; descriptor: where lines of that log go (log_pipe.hpp, or a
                    ///< socket of the journal or syslog); once each, before `accept`
  accept,           ///< start accepting on the listeners
  drain,            ///< stop accepting, serve what is open, then exit; descriptor, if any: where
                    ///< front connections between two requests go (hand_over.hpp)
  adopt,            ///< descriptor: where a predecessor's front connections come from
  listener,         ///< count: of the listener in the settings; descriptor: the socket that takes
                    ///< the place of the one it has
  list_requests,    ///< app, serial: of the question; which requests are in flight? count 1: and
                    ///< what do the handlers of the oldest do? descriptor: memory for the answer

  // bridge -> master
  started,      ///< the event loops run
  ready,        ///< serial: it answered its first question
  unhealthy,    ///< serial, reason: it will not be used any more
  kill,         ///< serial, reason: replace it, its abort was not honoured
  worker_idle,  ///< serial: a draining worker has no request of this bridge left
  requests,     ///< serial, count: it was given so many since the last such message
  server,  ///< app, serial, path (its name), state: serving or failing, with the reason; count: it
           ///< was given so many since the last such message, busy: has so many now
  server_gone,    ///< app, serial: it is not used any more
  demand,         ///< app, count: requests waiting, the oldest for delay_ms; busy: at workers
  drained,        ///< nothing is left open; the bridge exits
  listing,        ///< app, serial: of the question, count: requests left out; size: bytes in the
                  ///< question's memory, for decode() of request_list.hpp
  left,           ///< a draining bridge has closed its listeners on every thread: whoever connects
                  ///< now reaches another
  requests_lost,  ///< serial of a dead worker, count: requests that it had; size: bytes in the
                  ///< memory of worker_dead, for decode() of lost_requests.hpp
};

/// What is known of an app that has no ready worker.
enum class AppState : std::uint32_t {
  starting,  ///< a worker is being started: requests wait
  serving,   ///< at least one worker is ready
  failing,   ///< every worker is in back-off: requests are answered 503
  idle,      ///< no worker is wanted: the first request starts one, and waits
};

std::string_view to_string(AppState state);

enum class LogTarget : std::uint32_t {
  access,  ///< of one thread; `app` is its index
  app,
  slow,
};

struct Message {
  Type type{};
  std::uint32_t app = 0;
  std::uint64_t serial = 0;
  std::int32_t pid = 0;
  std::int32_t status = 0;
  std::uint32_t count = 0;
  AppState state = AppState::starting;
  LogTarget target = LogTarget::access;
  std::uint32_t shared = 0;
  std::uint32_t busy = 0;
  std::uint32_t delay_ms = 0;
  std::uint32_t canary = 0;        ///< of worker_added: it runs the app's canary
  std::uint32_t size = 0;          ///< bytes of a long answer
  std::array<char, 108> path{};    ///< NUL-terminated; as in sockaddr_un
  std::array<char, 132> reason{};  ///< NUL-terminated, for the log

  void set_path(std::string_view text);
  void set_reason(std::string_view text);  ///< cut to fit
};
static_assert(std::is_trivially_copyable_v<Message>);
static_assert(std::has_unique_object_representations_v<Message>, "padding carries memory across");

/// Requests that a worker handles at once: `count` of Type::ready is from 1 to this. A link has no
/// more request ids.
inline constexpr std::uint32_t kMaxCapacity = UINT16_MAX;

/// Descriptors that the bridge process finds open when it starts.
inline constexpr int kChannelDescriptor = 3;        ///< socket: messages from the master
inline constexpr int kSettingsDescriptor = 4;       ///< sealed memfd: the settings as JSON
inline constexpr int kScoreboardDescriptor = 5;     ///< memfd: the scoreboard
inline constexpr int kReportsDescriptor = 6;        ///< pipe: messages to the master
inline constexpr int kLogDescriptor = 7;            ///< log pipe; unused: the journal, syslog
inline constexpr int kFirstListenerDescriptor = 8;  ///< one per listener of the settings, in order

}  // namespace viaduct::daemon::channel
