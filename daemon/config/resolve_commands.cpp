#include <cerrno>
#include <utility>

#include "daemon/config/canary.hpp"
#include "daemon/config/checking.hpp"
#include "daemon/config/env_file.hpp"
#include "daemon/config/executable.hpp"
#include "daemon/config/text_file.hpp"
#include "daemon/config/worker_environment.hpp"

namespace viaduct::daemon::config {
namespace {

void read_env_files(const Checking& check, AppSettings& app) {
  for (std::size_t index = 0; index < app.env_file.size(); ++index) {
    const EnvFile& file = app.env_file[index];
    const std::string path = app_path(app) + ".env_file[" + std::to_string(index) + ']';
    // Root's rights are not for a file that somebody else can exchange for a link to any other.
    const bool as_user = check.system.effective_user() == 0 && app.identity.account.uid != 0 &&
                         !check.system.only_root_can_change(file.path);
    auto content =
        as_user ? check.system.read_as(app.identity.account, file.path) : read_text_file(file.path);
    if (const auto* failure = std::get_if<ReadFailure>(&content)) {
      const std::string reader =
          as_user && failure->error == EACCES
              ? ", read as user " + app.identity.account.name +
                    " because others than root can change the file or a directory above it"
              : "";
      if (!(file.optional && failure->error == ENOENT))
        check.error(path, file.path + ": " + describe_errno(failure->error) + reader);
      continue;
    }
    auto parsed = parse_env_file(std::get<std::string>(content));
    if (const auto* problem = std::get_if<EnvFileProblem>(&parsed)) {
      const Origin line{std::make_shared<const std::string>(file.path), problem->line, 1};
      check.report.error(line, path, problem->message);
      continue;
    }
    auto& values = std::get<NamedValues>(parsed);
    app.env_file_values.insert(app.env_file_values.end(), values.begin(), values.end());
  }
}

// PATH as the worker will have it.
std::string search_path(const Checking& check, const AppSettings& app) {
  Environment inherited;
  if (auto path = check.system.environment("PATH")) inherited["PATH"] = std::move(*path);
  return worker_environment(app, inherited)["PATH"];
}

void cannot_run(const Checking& check, const AppSettings& app, const std::string& step,
                const Access& access) {
  const std::string because = access.because.empty() ? "" : ": " + access.because;
  const std::string message = step + ": " + describe_errno(access.error) + because;
  if (check.purpose == Purpose::start)
    check.report.warning({}, pool_name(app), message, app.name);
  else
    check.report.error({}, pool_name(app), message, app.name);
}

void find_command(const Checking& check, AppSettings& app) {
  const std::string& root = app.isolation.chroot;
  const std::string inside = root.empty() ? "" : " in " + root;
  const std::string& program = app.command[0];
  const Account& account = app.identity.account;
  Found found;
  if (program.find('/') != std::string::npos) {
    found.path = program.starts_with('/') ? program : app.directory + '/' + program;
  } else {
    const std::string path = search_path(check, app);
    found = find_in_path(check.system, account, program, path, root);
    if (found.path.empty()) found.access.because = "not in PATH, which is " + path;
  }
  app.executable = found.path;
  if (!found.path.empty()) {
    Program file = check.system.program(root, found.path);
    app.command_file = file.identity;
    app.pinned_file = std::move(file.pin);
  }
  if (account.name.empty()) return;  // its user is unknown, which has been reported

  const Access directory = enterable_by(check.system, account, app.directory, root);
  if (directory.error != 0) cannot_run(check, app, "chdir " + app.directory + inside, directory);
  if (!found.path.empty()) found.access = executable_by(check.system, account, found.path, root);
  if (found.access.error != 0)
    cannot_run(check, app, "exec " + (found.path.empty() ? program : found.path) + inside,
               found.access);
}

bool names_program(const std::vector<std::string>& command) {
  return !command.empty() && !command[0].empty();
}

}  // namespace

void resolve_commands(const Checking& check) {
  for (AppSettings& app : check.settings.apps) {
    read_env_files(check, app);
    if (names_program(app.command)) find_command(check, app);
    if (!app.canary || !names_program(app.canary->command)) continue;
    AppSettings canary = canary_of(app);
    find_command(check, canary);
    app.canary->executable = canary.executable;
    app.canary->command_file = canary.command_file;
    app.canary->pinned_file = std::move(canary.pinned_file);
  }
}

}  // namespace viaduct::daemon::config
