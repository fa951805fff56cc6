#include "sdk/src/testing/app_run.hpp"

#include <unistd.h>

#include <random>

#include <viaduct/log.hpp>

#include "sdk/src/app_settings.hpp"
#include "sdk/src/guard.hpp"
#include "sdk/src/route_tree.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

std::string make_prefix() {
  std::random_device device;
  return "test-" + std::to_string(::getpid()) + '-' + std::to_string(device()) + '-';
}

}  // namespace

AppRun& AppRun::of(App& app) {
  std::shared_ptr<void>& place = detail::AppAccess::settings(app).test_run;
  if (!place) place = std::make_shared<AppRun>(app);
  return *static_cast<AppRun*>(place.get());
}

AppRun::AppRun(const App& app)
    : app_(app),
      id_prefix_(make_prefix()),
      sink_([this](Level level, std::string_view line) { take_line(level, line); }) {
  redirection_.emplace(sink_);
  const detail::AppSettings& settings = detail::AppAccess::settings(app_);
  detail::require_distinct_routes(app_);
  for (const auto& hook : settings.on_startup) hook();
  detail::require_distinct_routes(app_);
  background_.emplace(settings.background);
}

AppRun::~AppRun() {
  background_.reset();
  const auto& hooks = detail::AppAccess::settings(app_).on_shutdown;
  for (auto hook = hooks.rbegin(); hook != hooks.rend(); ++hook) {
    detail::guard(*hook, [](const std::exception_ptr& error) {
      log(Level::error, "on_shutdown: ", detail::describe_exception(error));
    });
  }
}

std::string AppRun::new_id() {
  const std::lock_guard lock(mutex_);
  return id_prefix_ + std::to_string(++count_);
}

void AppRun::collect(const std::string& id) {
  const std::lock_guard lock(mutex_);
  lines_[id];
}

std::string AppRun::collected(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = lines_.extract(id);
  return found ? std::move(found.mapped()) : std::string();
}

void AppRun::enter_thread() {
  const auto id = std::this_thread::get_id();
  {
    const std::lock_guard lock(mutex_);
    if (threads_.contains(id)) return;
  }
  for (const auto& hook : detail::AppAccess::settings(app_).on_thread_start) hook();
  const std::lock_guard lock(mutex_);
  threads_.insert(id);
}

// Lines of a request begin with its id in brackets (Request::log).
bool AppRun::keep(Level level, std::string_view line) {
  if (level < Level::warn || !line.starts_with('[')) return false;
  const std::size_t end = line.find("] ");
  if (end == line.npos) return false;
  const std::lock_guard lock(mutex_);
  const auto request = lines_.find(line.substr(1, end - 1));
  if (request == lines_.end()) return false;
  request->second.append(line.substr(end + 2)).push_back('\n');
  return true;
}

void AppRun::take_line(Level level, std::string_view line) {
  const bool kept = keep(level, line);
  if (const auto& own = detail::AppAccess::settings(app_).log_sink) {
    own(level, line);
  } else if (!kept) {
    redirection_->pass_on(level, line);
  }
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
