#include <algorithm>

#include "daemon/config/keys.hpp"
#include "daemon/config/keys_isolation.hpp"
#include "daemon/config/scalars.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::uint32_t kMaxConcurrency = 65'535;  // FastCGI request ids are 16 bits wide
constexpr std::uint32_t kMaxQueue = 1'000'000;
constexpr std::uint32_t kMaxDeaths = 100;

Keys<Concurrency> concurrency_keys() {
  return {optional_key("model", &Concurrency::model,
                       choice<ConcurrencyModel>({{"threads", ConcurrencyModel::threads},
                                                 {"fibers", ConcurrencyModel::fibers}})),
          optional_key("limit", &Concurrency::limit, integer(1, kMaxConcurrency))};
}

Keys<Timeouts> timeout_keys() {
  return {
      key("start", &Timeouts::start, duration()), key("connect", &Timeouts::connect, duration()),
      key("queue", &Timeouts::queue, duration()), key("request", &Timeouts::request, duration()),
      key("stall", &Timeouts::stall, duration()), key("body", &Timeouts::body, duration()),
      key("send", &Timeouts::send, duration()),   key("slow", &Timeouts::slow, duration()),
      key("abort", &Timeouts::abort, duration()), key("stop", &Timeouts::stop, duration())};
}

Keys<AppLimits> limit_keys() {
  return {key("queue", &AppLimits::queue, integer(1, kMaxQueue)),
          key("params", &AppLimits::params, size(1024)),
          key("body", &AppLimits::body, size(0)),
          key("retry_buffer", &AppLimits::retry_buffer, size(0)),
          key("requests", &AppLimits::requests, integer(0, UINT32_MAX)),
          key("age", &AppLimits::age, duration()),
          key("memory", &AppLimits::memory, size(0))};
}

Keys<ResponseBuffers> response_buffer_keys() {
  return {key("memory", &ResponseBuffers::memory, size(0)),
          key("file", &ResponseBuffers::file, size(0))};
}

Keys<Poison> poison_keys() {
  return {key("deaths", &Poison::deaths, integer(0, kMaxDeaths)),
          key("within", &Poison::within, duration()), key("closed", &Poison::closed, duration())};
}

Keys<AppSettings> identity_keys() {
  return inlined(&AppSettings::identity,
                 Keys<Identity>{text_key("user", &Identity::user, text()),
                                text_key("group", &Identity::group, text()),
                                optional_key("groups", &Identity::groups, list(text()))});
}

struct AppLog {
  LogTarget to;
};

Key<AppSettings> log_key() {
  const auto target = log_target(LogTarget::Kind::inherit);
  const Keys<AppLog> keys = {key("to", &AppLog::to, target)};
  return {"log",
          [=](Reading& reading, const Node& node, const std::string& path, AppSettings& into) {
            AppLog log{into.log};
            read_map(reading, node, path, log, keys);
            into.log = log.to;
          },
          [=](DumpWriter& dump, const AppSettings& from, const std::string& path) {
            dump.open("log");
            print_map(dump, AppLog{from.log}, path, keys);
            dump.close();
          }};
}

// Calls `read_value` for every entry of a map whose keys are names that people choose.
template <class ReadValue>
void read_names(Reading& reading, const Node& node, const std::string& path,
                std::string (*problem_with)(std::string_view), ReadValue read_value) {
  if (!detail::check_map(reading, node, path)) return;
  for (const Entry& entry : node.entries) {
    if (entry.key == "<<") continue;
    const std::string entry_path = join(path, entry.key);
    const std::string problem = problem_with(entry.key);
    if (!problem.empty()) reading.report.error(entry.origin, entry_path, problem);
    reading.origins[entry_path] = entry.value->origin;
    read_value(entry, entry_path);
  }
}

// Output of --dump goes into reports; values of `env` may be secret.
Key<AppSettings> env_key() {
  return {"env",
          [](Reading& reading, const Node& node, const std::string& path, AppSettings& into) {
            read_names(reading, node, path, env_name_problem,
                       [&](const Entry& entry, const std::string& entry_path) {
                         if (auto value = any_text().read(reading, *entry.value, entry_path))
                           into.env.emplace_back(entry.key, std::move(*value));
                       });
          },
          [](DumpWriter& dump, const AppSettings& from, const std::string& path) {
            dump.open("env");
            for (const auto& [name, value] : from.env)
              dump.value(name, quote_yaml("***"), join(path, name));
            dump.close();
          }};
}

std::string param_name_problem(std::string_view name) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  if (name.empty() || name.find_first_not_of(kAllowed) != std::string_view::npos)
    return "expected the name of a CGI variable: letters, digits, _ and -";
  if (name.starts_with("VIADUCT_")) return "VIADUCT_* variables are set by viaductd";
  if (name == "CONTENT_LENGTH") return "CONTENT_LENGTH cannot be changed: it delimits the body";
  return {};
}

Key<AppSettings> params_key() {
  return {"params",
          [](Reading& reading, const Node& node, const std::string& path, AppSettings& into) {
            read_names(reading, node, path, param_name_problem,
                       [&](const Entry& entry, const std::string& entry_path) {
                         if (entry.value->kind == Node::Kind::null)
                           into.params.push_back({entry.key, std::nullopt});
                         else if (auto value = any_text().read(reading, *entry.value, entry_path))
                           into.params.push_back({entry.key, std::move(*value)});
                       });
          },
          [](DumpWriter& dump, const AppSettings& from, const std::string& path) {
            dump.open("params");
            for (const ParamOverride& param : from.params)
              dump.value(param.name, param.value ? quote_yaml(*param.value) : "null",
                         join(path, param.name));
            dump.close();
          }};
}

// A number, or {min, max, spare, idle}; max defaults to what is there already.
Key<AppSettings> workers_key() {
  const auto number = integer(1, kMaxWorkers);
  const Keys<Workers> keys = {key("min", &Workers::min, integer(0, kMaxWorkers)),
                              key("max", &Workers::max, number),
                              key("spare", &Workers::spare, integer(0, kMaxWorkers)),
                              key("idle", &Workers::idle, duration())};
  return {"workers",
          [=](Reading& reading, const Node& node, const std::string& path, AppSettings& into) {
            Workers& workers = into.workers;
            if (node.kind == Node::Kind::map) {
              workers.min = 1;
              read_map(reading, node, path, workers, keys);
              if (!find_entry(node, "max")) workers.max = std::max(workers.min, workers.max);
            } else if (const auto count = number.read(reading, node, path)) {
              workers.min = workers.max = *count;
            }
          },
          [=](DumpWriter& dump, const AppSettings& from, const std::string& path) {
            const Workers& workers = from.workers;
            if (workers.min == workers.max)
              return dump.value("workers", number.print(workers.max), path);
            dump.open("workers");
            print_map(dump, workers, path, keys);
            dump.close();
          }};
}

}  // namespace

std::string env_name_problem(std::string_view name) {
  if (name.empty() || name.find_first_of("= \t\n") != std::string_view::npos)
    return "expected the name of an environment variable, without = and blanks";
  for (const std::string_view prefix : {"VIADUCT_", "LISTEN_", "WATCHDOG_", "NOTIFY_SOCKET"})
    if (name.starts_with(prefix)) return std::string(name) + " is reserved for viaductd";
  if (name == "FDSTORE") return "FDSTORE is reserved for viaductd";
  return {};
}

ValueType<std::vector<std::string>> command_line() {
  ValueType<std::vector<std::string>> arguments = list(any_text());
  return {[=](Reading& reading, const Node& node,
              const std::string& path) -> std::optional<std::vector<std::string>> {
            auto value = arguments.read(reading, node, path);
            if (value && (value->empty() || value->front().empty()))
              reading.report.error(node.origin, path, "expected at least the program to run");
            return value;
          },
          arguments.print};
}

Keys<AppSettings> app_keys() {
  using A = AppSettings;
  Keys<A> keys = {key("command", &A::command, command_line()),
                  key("directory", &A::directory, path()), env_key(),
                  key("env_file", &A::env_file, list(env_file_path())),
                  key("clear_env", &A::clear_env, boolean())};
  for (Key<A>& identity : identity_keys()) keys.push_back(std::move(identity));
  const Keys<A> more = {
      key("allow_root", &A::allow_root, boolean()),
      key("umask", &A::umask, file_mode(0777)),
      nested("isolation", &A::isolation, isolation_keys()),
      workers_key(),
      nested("concurrency", &A::concurrency, concurrency_keys()),
      nested("timeouts", &A::timeouts, timeout_keys()),
      nested("limits", &A::limits, limit_keys()),
      key("buffer_requests", &A::buffer_requests,
          choice<Buffering>({{"auto", Buffering::automatic},
                             {"true", Buffering::always},
                             {"false", Buffering::never}})),
      nested("buffer_responses", &A::buffer_responses, response_buffer_keys()),
      key("response_heads", &A::response_heads,
          choice<protocol::HeadRules>({{"lenient", protocol::HeadRules::lenient},
                                       {"strict", protocol::HeadRules::strict}})),
      key("retry", &A::retry,
          choice<Retry>({{"never", Retry::never}, {"idempotent", Retry::idempotent}})),
      nested("poison", &A::poison, poison_keys()),
      key("probe", &A::probe, boolean()),
      key("stop_signal", &A::stop_signal, stop_signal()),
      key("send_file", &A::send_file,
          choice<SendFile>({{"off", SendFile::off},
                            {"x-accel-redirect", SendFile::x_accel_redirect},
                            {"x-sendfile", SendFile::x_sendfile}})),
      params_key(),
      log_key(),
      text_key("slow_log", &A::slow_log, path()),
      text_key("crash_dir", &A::crash_dir, path()),
      key("probation", &A::probation, duration()),
      canary_key()};
  keys.insert(keys.end(), more.begin(), more.end());
  for (Key<A>& connect : connect_keys()) keys.push_back(std::move(connect));
  return keys;
}

}  // namespace viaduct::daemon::config
