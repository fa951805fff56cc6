#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>

#include "daemon/bridge/bridge.hpp"
#include "daemon/config/dump.hpp"
#include "daemon/config/executable.hpp"
#include "daemon/config/load.hpp"
#include "daemon/config/memory_policy.hpp"
#include "daemon/config/spool_place.hpp"
#include "daemon/config/system.hpp"
#include "daemon/log/escape.hpp"
#include "daemon/master/inherited_sockets.hpp"
#include "daemon/master/master.hpp"
#include "daemon/master/start_error.hpp"

namespace {

using namespace viaduct::daemon;

enum ExitStatus { kOk = 0, kUsage = 64, kInternal = 70, kEnvironment = 71, kConfiguration = 78 };

constexpr std::uint64_t kMiB = 1024 * 1024;

struct Options {
  std::filesystem::path config = "/etc/viaduct/viaduct.yaml";
  bool check = false;
  bool dump = false;
};

// A descriptor opened later must not get the number of a standard one that the caller closed.
void open_standard_descriptors() {
  int descriptor = 0;
  while (descriptor >= 0 && descriptor <= 2) descriptor = ::open("/dev/null", O_RDWR);
  if (descriptor > 2) ::close(descriptor);
}

// Nothing when there is something to run, else the exit status.
std::optional<int> parse(int argc, char** argv, Options& options) {
  CLI::App app("viaductd runs C++ web applications behind any front web server");
  app.name("viaductd");
  app.add_option("-c,--config", options.config, "configuration file")->capture_default_str();
  app.add_flag("-t,--check", options.check, "check the configuration and exit");
  app.add_flag("-T,--dump", options.dump, "print the effective configuration and exit");
  app.set_version_flag("-V,--version", "viaductd " VIADUCT_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  return std::nullopt;
}

std::optional<config::Settings> load(const Options& options) {
  const auto purpose =
      options.check || options.dump ? config::Purpose::check : config::Purpose::start;
  config::LoadResult result = config::load(options.config, purpose);
  // They may name processes of others, and values from files.
  for (const auto& warning : result.warnings) {
    std::cerr << "warning: " << log::escape_controls(format(warning)) << '\n';
  }
  for (const auto& error : result.errors) std::cerr << log::escape_controls(format(error)) << '\n';
  return std::move(result.settings);
}

// Where the program is to be found again after it was installed anew: by the name it was started
// with, because a symbolic link may lead to another version by then.
master::Invocation invocation(int argc, char** argv) {
  master::Invocation result{argv[0], {argv, argv + argc}};
  if (result.executable.find('/') == std::string::npos) {
    const char* const search = std::getenv("PATH");
    const config::System& system = config::real_system();
    result.executable = config::find_in_path(system, system.own_account(), result.executable,
                                             search != nullptr ? search : "/usr/bin:/bin")
                            .path;
  }
  result.executable = std::filesystem::absolute(result.executable);
  return result;
}

int serve(config::Settings settings, master::Invocation invocation) {
  try {
    auto predecessor = master::Predecessor::from_environment();
    master::Master master(std::move(settings), master::InheritedSockets::from_environment(),
                          std::move(invocation), std::move(predecessor));
    return master.run();
  } catch (const master::StartError& error) {
    std::cerr << error.what() << '\n';
    return master::is_transient(error.error()) ? kEnvironment : kConfiguration;
  } catch (const std::system_error& error) {
    if (!master::is_transient(error.code().value())) throw;
    std::cerr << "viaductd: " << error.what() << '\n';
    return kEnvironment;
  }
}

std::string in_mib(std::uint64_t bytes) {
  return "at most " + std::to_string((bytes + kMiB - 1) / kMiB) + " MiB";
}

void report_check(const Options& options, const config::Settings& settings) {
  std::cout << options.config.string() << ": ok\nmemory of a bridge process: ";
  std::uint64_t params = 0;
  for (const config::AppSettings& app : settings.apps) params = std::max(params, app.limits.params);
  const std::uint64_t bound =
      config::memory_bound(settings.limits, settings.bridge.threads, params);
  const std::uint64_t spool = settings.limits.spool;
  const config::SpoolPlace place = config::spool_place(settings, config::real_system());
  if (bound == 0) {
    std::cout << "unbounded (limits.memory is 0)\n";
  } else if (place.in_memory && spool == 0) {
    std::cout << "unbounded (limits.spool is 0, and " << place.directory << " is in memory)\n";
  } else {
    std::cout << in_mib(place.in_memory ? bound + spool : bound) << '\n';
  }
  std::cout << "temporary files of a bridge process: "
            << (spool == 0 ? "unbounded (limits.spool is 0)" : in_mib(spool)) << ", in "
            << place.directory << (place.in_memory ? ", which is in memory\n" : "\n");
}

int run(int argc, char** argv) {
  Options options;
  if (const auto status = parse(argc, argv, options)) return *status;
  // A reload reads it again, whatever the directory is then.
  options.config = std::filesystem::absolute(options.config);
  auto settings = load(options);
  if (!settings) return kConfiguration;
  if (options.dump) std::cout << dump(*settings);
  if (options.check && !options.dump) report_check(options, *settings);
  if (options.check || options.dump) return kOk;
  return serve(std::move(*settings), invocation(argc, argv));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--bridge") == 0) {
    ::prctl(PR_SET_NAME, "viaduct-bridge");
    return bridge::run();
  }
  try {
    open_standard_descriptors();
    ::umask(0022);
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "viaductd: " << error.what() << '\n';
    return kInternal;
  }
}
