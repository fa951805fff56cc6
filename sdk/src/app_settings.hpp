#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <viaduct/app.hpp>
#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// What an App was told, besides its routes.
struct AppSettings {
  struct Option {
    std::string name;
    std::string help;
    std::string* value;
  };
  std::optional<Model> model;
  std::vector<Option> options;
  std::vector<std::function<void(std::stop_token)>> background;
  std::vector<std::function<void()>> on_thread_start;
  std::vector<std::function<void()>> on_startup;
  std::vector<std::function<void()>> on_shutdown;
  std::function<bool()> readiness;
  std::function<void(Request&, Response&, std::exception_ptr)> on_error;
  std::function<void(Level, std::string_view)> log_sink;
  bool crash_reports = true;
  std::shared_ptr<void> test_run;  ///< what the first testing::Client has started
};

/// Calls a hook of the app's. What it throws becomes a std::runtime_error with the name of the hook
/// and the type of the exception in its text.
VIADUCT_API void call_hook(const char* name, const std::function<void()>& hook);

/// Lets the library see what an App holds.
struct AppAccess {
  static const AppSettings& settings(const App& app) { return *app.settings_; }
  static AppSettings& settings(App& app) { return *app.settings_; }
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
