// The configuration as plain data: what a file said, with every default filled in, every path made
// absolute and every user and group looked up. Produced by load() (load.hpp), never changed after.
//
// Durations are milliseconds, sizes bytes. In `Timeouts` 0 means off: that step is not limited.
// The spelling of every key, and its default, is in conf/viaduct.yaml.
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
#include "daemon/config/address.hpp"
#include "daemon/config/isolation.hpp"
#include "daemon/config/origin.hpp"
#include "daemon/config/peer_rule.hpp"

namespace viaduct::daemon::config {

using std::chrono::milliseconds;

enum class FrontProtocol { fastcgi, scgi, uwsgi, http };
// As written in the configuration.
std::string_view to_string(FrontProtocol protocol);

// What servers of `connect` speak.
enum class ServerProtocol { fastcgi, scgi, uwsgi };
// As written in the configuration.
std::string_view to_string(ServerProtocol protocol);

enum class Multiplex { never, automatic };
enum class ConcurrencyModel { threads, fibers };
enum class Retry { never, idempotent };
enum class Priority { high, normal, low };
enum class SendFile { off, x_accel_redirect, x_sendfile };
enum class LogLevel { debug, info, warn, error };
enum class LogFormat { text, json };

// Where log lines go. `off` only for access_log.to, `inherit` (the daemon's log) only for apps.
struct LogTarget {
  enum class Kind { off, inherit, standard_error, journal, syslog, file };

  Kind kind = Kind::standard_error;
  std::string path;  // file only; absolute

  bool operator==(const LogTarget&) const = default;
};

// What a process runs as: a user with the group and supplementary groups in force for it.
struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary, sorted, without duplicates
  std::string name;           // of the user; its number when it has no name
  std::string home;
  std::string shell;

  bool operator==(const Account&) const = default;
};

// `user`, `group`, `groups` as written; empty or absent when not. `account` is the outcome:
// group and groups default to those of the user, the user to the one viaductd runs as.
struct Identity {
  std::string user;
  std::string group;
  std::optional<std::vector<std::string>> groups;  // an empty list means no supplementary groups
  Account account;

  bool operator==(const Identity&) const = default;
};

struct ControlSettings {
  Address address;  // always unix_path; default runtime_dir/control.sock
  mode_t mode = 0660;
  std::string group;
  std::optional<gid_t> gid;  // of `group`

  bool operator==(const ControlSettings&) const = default;
};

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  LogTarget to;

  bool operator==(const LogSettings&) const = default;
};

struct AccessLogSettings {
  LogTarget to{LogTarget::Kind::off, {}};
  LogFormat format = LogFormat::json;
  double sample = 1.0;  // 0 to 1: the share of requests that are logged

  bool operator==(const AccessLogSettings&) const = default;
};

struct BridgeProcessSettings {
  std::uint32_t threads = 1;
  Identity identity;
};

// Of one bridge process, all threads together.
struct GlobalLimits {
  std::uint32_t connections = 16384;    // front connections open at once
  std::uint64_t memory = 512ull << 20;  // bytes buffered for requests; 0: no limit

  bool operator==(const GlobalLimits&) const = default;
};

// A header field that a request has to have, with that value if there is one.
struct HeaderRule {
  std::string name;
  std::optional<std::string> value;

  bool operator==(const HeaderRule&) const = default;
};

// Where requests go that meet all its conditions. Which route comes first if several do is said in
// conf/viaduct.yaml.
struct RouteSettings {
  std::string host{};                    // lower case; a name or "*.suffix"; "": any
  std::string path = "/";                // begins with '/'; ends with one only when it is "/"
  std::string exact{};                   // the whole path, instead of a prefix; "": none
  std::vector<std::string> methods{};    // GET stands for HEAD too; empty: any
  std::optional<HeaderRule> header{};    // absent: none is required
  bool mount = false;                    // true: the prefix moves from PATH_INFO into SCRIPT_NAME
  std::string app{};                     // names one of Settings::apps
  Priority priority = Priority::normal;  // of its requests while they wait
  std::uint32_t limit = 0;               // of its requests at workers at once; 0: none

  bool operator==(const RouteSettings&) const = default;
};

struct ListenerSettings {
  FrontProtocol protocol = FrontProtocol::fastcgi;
  Address address;
  std::string owner;
  std::string group;
  std::optional<uid_t> uid;  // of `owner`; absent: leave it to the kernel
  std::optional<gid_t> gid;  // of `group`
  mode_t mode = 0660;        // of the socket file
  std::uint32_t backlog = 4096;
  std::vector<PeerRule> allow;    // empty: everyone who can connect
  std::vector<PeerRule> trusted;  // empty: nobody
  std::string app;                // as written: empty when `routes` was used instead
  std::string default_app;        // as written: for requests that no route takes; "": none
  std::vector<RouteSettings>
      routes;  // as written, never empty; one for `app`; `default` is the last
};

// See "what happens when" in conf/viaduct.yaml for what each of them does when it passes.
struct Timeouts {
  milliseconds start{10'000};    // exec to the first answer
  milliseconds connect{1'000};   // connect() to a worker
  milliseconds queue{5'000};     // waiting for a free slot
  milliseconds request{30'000};  // complete params to the response head, queue and retry included
  milliseconds stall{60'000};    // silence of the app after the response head
  milliseconds slow{0};          // a request that takes longer is reported as slow
  milliseconds abort{5'000};     // abort to the end of the request, before the worker is replaced
  milliseconds stop{30'000};     // draining

  bool operator==(const Timeouts&) const = default;
};

struct AppLimits {
  std::uint32_t queue = 1024;                // waiting requests, at least 1
  std::uint64_t params = 64ull << 10;        // bytes of names and values of one request
  std::uint64_t body = 64ull << 20;          // bytes of one request body; 0: no limit
  std::uint64_t retry_buffer = 64ull << 10;  // bytes of a body kept for a retry; 0: none is kept
  // A worker that reaches one of these is replaced; 0: no limit.
  std::uint32_t requests = 0;
  milliseconds age{0};
  std::uint64_t memory = 0;  // bytes

  bool operator==(const AppLimits&) const = default;
};

// A route whose requests were at `deaths` workers that crashed `within` that time is closed.
struct Poison {
  std::uint32_t deaths = 3;     // 0: never
  milliseconds within{60'000};  // 0: never
  milliseconds closed{30'000};  // the first time; 0: never

  bool operator==(const Poison&) const = default;
};

// Absent values are the application's own choice; failing that threads with 8, fibers with 1000.
struct Concurrency {
  std::optional<ConcurrencyModel> model;
  std::optional<std::uint32_t> limit;  // requests one worker takes at once, 1 to 65535

  bool operator==(const Concurrency&) const = default;
};

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

// A CGI variable that viaductd sets on every request, or drops when there is no value.
struct ParamOverride {
  std::string name;
  std::optional<std::string> value;

  bool operator==(const ParamOverride&) const = default;
};

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

inline constexpr std::uint32_t kWholeShare = 10'000;  // shares are hundredths of a percent

// Another program for an app, which gets a part of its requests.
struct CanarySettings {
  std::vector<std::string> command;         // as AppSettings::command
  std::string executable;                   // likewise
  std::optional<CommandFile> command_file;  // likewise
  PinnedFile pinned_file;                   // likewise
  std::uint32_t share = 0;                  // of the requests, in hundredths of a percent
  std::string header;  // requests with this field go to it, whatever the share; "": none
};

// When a server of `connect` counts as down.
struct Health {
  milliseconds interval{
      0};                  // between two attempts to connect, made for this alone; 0: none are made
  std::uint32_t fail = 3;  // failures in a row, of requests and attempts, 1 to 1000: it is down
  std::uint32_t pass = 2;  // successful attempts in a row, 1 to 1000: it is up again

  bool operator==(const Health&) const = default;
};

// How servers of `connect` are spoken to.
struct ServerSettings {
  ServerProtocol protocol = ServerProtocol::fastcgi;
  bool keepalive = false;                  // connections are kept between requests
  Multiplex multiplex = Multiplex::never;  // automatic: one connection carries many requests if the
                                           // server says that it can
  Health health;

  bool operator==(const ServerSettings&) const = default;
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

struct Settings {
  std::string file;                  // the main configuration file, as given to load()
  std::vector<std::string> include;  // patterns as written
  std::string runtime_dir;           // absolute
  ControlSettings control;
  LogSettings log;
  AccessLogSettings access_log;
  BridgeProcessSettings bridge;
  GlobalLimits limits;
  std::vector<ListenerSettings> listeners;  // main file first, then included files in order
  std::vector<AppSettings> apps;            // in the same order
  Origins origins;
};

// The app of that name, or nullptr. Valid as long as `settings` is.
const AppSettings* find_app(const Settings& settings, std::string_view name);

}  // namespace viaduct::daemon::config
