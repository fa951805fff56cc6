#include "daemon/tool/command_line.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <utility>

#include <CLI/CLI.hpp>

#include "daemon/config/app_name.hpp"
#include "daemon/config/app_settings.hpp"
#include "daemon/config/scalars.hpp"

namespace viaduct::daemon::tool {

namespace {

constexpr const char* kFooter = R"(
Commands that change something return when it has happened. reload, restart and scale wait until
the new workers are ready; drain and stop until viaductd has ended.

reload applies the whole configuration or, when an app fails, nothing of it. With APP it applies
that app's section, with its env_file and its program, and nothing else. With --keep-going, apps
that fail keep their former section and workers; status shows them until the next reload. restart
reads nothing: the app's new workers are made from the configuration that is in force.

Environment:
  VIADUCT_CONTROL   the control socket, when --control is not given

Exit status:
  0   done
  1   refused, for instance because a new worker did not become ready; nothing has changed.
      With reload --keep-going also: done but for the apps that are listed
  64  the command line is wrong
  69  no viaductd answers at the control socket
  70  internal error
  75  no answer within --timeout; what was asked for may still happen
  78  the configuration has errors, which are listed; nothing has changed)";

// What looks at viaductd answers at once; what changes it takes as long as its workers do.
constexpr std::chrono::seconds kLookTimeout{30};

struct Words {
  std::string control;
  std::string timeout;
  std::string app;
  unsigned workers = 0;
  bool stacks = false;
  bool keep_going = false;
};

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

// The address, or what is wrong with it. A path alone is taken, too.
std::variant<config::Address, std::string> control_address(const std::string& text) {
  if (text.starts_with('/')) return control_address("unix:" + text);
  auto parsed = config::parse_address(text);
  const auto* address = std::get_if<config::Address>(&parsed);
  if (address != nullptr && !address->is_unix()) return "expected unix:PATH";
  return parsed;
}

void look(CommandLine& line, Form form, std::string target) {
  line.form = form;
  line.timeout = kLookTimeout;
  line.question = {"GET", std::move(target), ""};
}

void change(CommandLine& line, std::string target, std::string body = "") {
  line.question = {"POST", std::move(target), std::move(body)};
}

void add_commands(CLI::App& app, CommandLine& line, Words& words) {
  const auto command = [&](const char* name, const char* help, std::function<void()> chosen) {
    CLI::App* made = app.add_subcommand(name, help);
    made->fallthrough();
    made->callback(std::move(chosen));
    return made;
  };
  const auto app_command = [&](const char* name, const char* help, std::function<void()> chosen) {
    CLI::App* made = command(name, help, std::move(chosen));
    made->add_option("APP", words.app, "name of an app")->required();
    return made;
  };
  command("status", "show viaductd, its apps and their workers",
          [&] { look(line, Form::status, "/v1/status"); });
  app_command("requests", "APP: show its requests that are in flight",
              [&] {
                look(line, Form::requests,
                     "/v1/apps/" + words.app + "/requests" + (words.stacks ? "?stacks=true" : ""));
              })
      ->add_flag("--stacks", words.stacks,
                 "and what the handlers of the 50 oldest do: their stacks, where the application "
                 "is written with the SDK");
  CLI::App* reload = command(
      "reload", "[APP]: read the configuration anew; apps that have changed get new workers", [&] {
        if (!words.app.empty()) return change(line, "/v1/apps/" + words.app + "/reload");
        change(line, "/v1/reload", words.keep_going ? "{\"keep_going\":true}" : "");
      });
  CLI::Option* one = reload->add_option("APP", words.app, "only the section of this app");
  reload
      ->add_flag("--keep-going", words.keep_going,
                 "apps that fail stay as they are, all else is applied; exit status 1 then")
      ->excludes(one);
  app_command("restart", "APP: give it new workers, from the configuration in force",
              [&] { change(line, "/v1/apps/" + words.app + "/restart"); });
  app_command("scale", "APP N: run N workers until the next reload",
              [&] {
                change(line, "/v1/apps/" + words.app + "/scale",
                       "{\"workers\":" + std::to_string(words.workers) + "}");
              })
      ->add_option("N", words.workers, "number of workers")
      ->required()
      ->check(CLI::Range(0U, config::kMaxWorkers));
  command("drain", "serve open requests up to timeouts.stop, then end viaductd", [&] {
    change(line, "/v1/drain");
    line.until_closed = true;
  });
  command("stop", "end viaductd at once", [&] {
    change(line, "/v1/stop");
    line.until_closed = true;
  });
  command("reopen", "open the log files anew", [&] { change(line, "/v1/reopen"); });
  command("upgrade", "replace viaductd by the installed program",
          [&] { change(line, "/v1/upgrade"); });
}

// What is wrong, or nothing.
std::optional<std::string> finish(const Words& words, CommandLine& line) {
  auto address = control_address(words.control);
  if (const auto* wrong = std::get_if<std::string>(&address)) {
    return "control socket " + words.control + ": " + *wrong;
  }
  line.control = std::get<config::Address>(address);
  if (!words.app.empty() && !config::is_app_name(words.app))
    return words.app + " is no name of an app";
  if (words.timeout.empty()) return std::nullopt;
  const auto timeout = config::parse_duration(words.timeout);
  if (!timeout)
    return "--timeout " + words.timeout + ": expected a duration such as 500ms, 30s, 5m";
  line.timeout = *timeout;
  return std::nullopt;
}

}  // namespace

Surroundings Surroundings::real() {
  return {variable,
          [](const std::string& path) {
            std::error_code ignored;
            return std::filesystem::exists(path, ignored);
          },
          ::geteuid() == 0};
}

std::string default_control(const Surroundings& surroundings) {
  const auto directory = surroundings.environment("RUNTIME_DIRECTORY").value_or("");
  if (!directory.empty()) return directory.substr(0, directory.find(':')) + "/control.sock";
  const auto own = surroundings.environment("XDG_RUNTIME_DIR").value_or("");
  std::string path = own + "/viaduct/control.sock";
  if (!surroundings.root && !own.empty() && surroundings.exists(path)) return path;
  return "/run/viaduct/control.sock";
}

std::variant<CommandLine, ExitStatus> parse(int argc, const char* const* argv,
                                            const Surroundings& surroundings, std::ostream& out,
                                            std::ostream& err) {
  CommandLine line;
  Words words;
  words.control = surroundings.environment("VIADUCT_CONTROL").value_or("");
  if (words.control.empty()) words.control = "unix:" + default_control(surroundings);
  CLI::App app("viaduct looks at a running viaductd and tells it what to do", "viaduct");
  app.add_option("--control", words.control, "the control socket: unix:PATH")
      ->capture_default_str();
  app.add_flag("--json", line.json, "print the answer as viaductd gave it: JSON");
  app.add_option("--timeout", words.timeout,
                 "how long to wait: 500ms, 30s, 5m; 0: for ever. Default: 30s for status and "
                 "requests, 0 for the others");
  app.set_version_flag("-V,--version", "viaduct " VIADUCT_VERSION);
  app.require_subcommand(1);
  app.footer(kFooter);
  add_commands(app, line, words);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? kDone : kUsage;
  }
  if (const auto wrong = finish(words, line)) {
    err << "viaduct: " << *wrong << '\n';
    return kUsage;
  }
  return line;
}

}  // namespace viaduct::daemon::tool
