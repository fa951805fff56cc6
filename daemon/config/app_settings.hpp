// One app: the processes that viaductd runs for it, or the servers that others run.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/channel/unique_fd.hpp"
#include "daemon/config/account.hpp"
#include "daemon/config/address.hpp"
#include "daemon/config/isolation.hpp"
#include "daemon/config/log_settings.hpp"
#include "daemon/config/request_settings.hpp"
#include "protocol/cgi_head.hpp"

namespace viaduct::daemon::config {

enum class SendFile { off, x_accel_redirect, x_sendfile };

inline constexpr std::uint32_t kMaxWorkers = 1024;  // of one app

// How many processes an app has: always the same number when min == max.
struct Workers {
  std::uint32_t min = 2;      // 0: the first request starts one
  std::uint32_t max = 2;      // 1 to kMaxWorkers
  std::uint32_t spare = 0;    // idle ones beside those that are busy, at most max
  milliseconds idle{60'000};  // not needed for so long, one is stopped; 0: never

  bool operator==(const Workers&) const = default;
};

using NamedValues = std::vector<std::pair<std::string, std::string>>;

struct EnvFile {
  std::string path;       // absolute
  bool optional = false;  // written "-/path": may be missing

  bool operator==(const EnvFile&) const = default;
};

// command[0] as it was found when the configuration was read: a change of any of these means that
// the application has been installed anew.
struct CommandFile {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;  // since the epoch

  bool operator==(const CommandFile&) const = default;
};

// A descriptor (O_PATH) of command[0] as it was found then: what workers execute although another
// file has taken its place meanwhile. Null: they execute what the path names.
using PinnedFile = std::shared_ptr<const UniqueFd>;

// Another program for an app, which gets a part of its requests.
struct CanarySettings {
  std::vector<std::string> command;         // as AppSettings::command
  std::string executable;                   // likewise
  std::optional<CommandFile> command_file;  // likewise
  PinnedFile pinned_file;                   // likewise
  std::uint32_t share = 0;                  // of the requests, in hundredths of a percent
  std::string header;  // requests with this field go to it, whatever the share; "": none
};

struct AppSettings {
  std::string name;
  std::vector<std::string> command;  // as written; empty only with `connect`
  std::string executable;            // absolute path of command[0]; "" when it is not in PATH
  std::optional<CommandFile> command_file;  // absent when `executable` does not exist
  PinnedFile pinned_file;                   // of the same file
  std::string directory;                    // absolute; default: that of the file with the app
  NamedValues env;
  std::vector<EnvFile> env_file;
  NamedValues env_file_values;  // secret; of all files in order, the last of one name wins over env
  bool clear_env = true;
  Identity identity;
  bool allow_root = false;
  mode_t umask = 0022;
  Isolation isolation;
  Workers workers;  // default: CPUs allowed, at least 2
  Concurrency concurrency;
  Timeouts timeouts;
  AppLimits limits;
  Buffering buffer_requests = Buffering::automatic;
  ResponseBuffers buffer_responses;
  protocol::HeadRules response_heads = protocol::HeadRules::lenient;
  Retry retry = Retry::idempotent;
  Poison poison;
  bool probe = true;
  int stop_signal = SIGTERM;
  SendFile send_file = SendFile::off;
  std::vector<ParamOverride> params;
  LogTarget log{LogTarget::Kind::inherit, {}};
  std::string slow_log;            // absolute; "": where `log` goes
  std::string crash_dir;           // absolute; "" when not configured
  milliseconds probation{10'000};  // during which a reload's new workers may prove worse
  std::optional<CanarySettings> canary;
  bool is_canary = false;  // these are the settings of an app's canaries; see canary.hpp
  // Servers that others run, instead of workers: `command`, `identity` and what else concerns
  // processes is then empty, and `workers` none. The bridge looks up names of hosts.
  std::vector<Address> connect;
  ServerSettings server;  // all of them
};

}  // namespace viaduct::daemon::config
