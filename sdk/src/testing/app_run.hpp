#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include <viaduct/app.hpp>

#include "sdk/src/log_output.hpp"
#include "sdk/src/runtime/background.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {

/// What run() does around serving, from an App's first client to the App's end: its hooks, its
/// background tasks, and log lines, sorted by request.
class AppRun {
 public:
  /// That of `app`, which owns it. The first call makes it, and calls on_startup.
  [[nodiscard]] static AppRun& of(App& app);

  explicit AppRun(const App& app);
  AppRun(const AppRun&) = delete;
  AppRun& operator=(const AppRun&) = delete;
  /// Stops the background tasks and calls on_shutdown.
  ~AppRun();

  /// An id that no other request of this process has.
  [[nodiscard]] std::string new_id();
  /// Collects warnings and errors logged for the request of that id from now on.
  void collect(const std::string& id);
  /// What was collected, one line each; nothing more is.
  [[nodiscard]] std::string collected(const std::string& id);

  /// Calls on_thread_start when the calling thread has not been here before.
  void enter_thread();

 private:
  void take_line(Level level, std::string_view line);
  [[nodiscard]] bool keep(Level level, std::string_view line);

  const App& app_;
  const std::string id_prefix_;
  std::mutex mutex_;
  std::uint32_t count_ = 0;
  std::map<std::string, std::string, std::less<>> lines_;  // by id
  std::set<std::thread::id> threads_;
  const detail::LogSink sink_;
  std::optional<detail::LogRedirection> redirection_;
  std::optional<detail::Background> background_;
};

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
