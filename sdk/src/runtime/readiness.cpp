#include "sdk/src/runtime/readiness.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <stop_token>
#include <string>
#include <utility>

#include <viaduct/log.hpp>

#include "sdk/src/guard.hpp"
#include "sdk/src/runtime/context.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstPause{10};
constexpr milliseconds kLongestPause{1000};

bool ask(const std::function<bool()>& ready, std::string& complaint) {
  std::string problem = "not ready yet";
  bool yes = false;
  guard([&] { yes = ready(); },
        [&](const std::exception_ptr& error) { problem += ": " + describe_exception(error); });
  if (yes) return true;
  if (problem != complaint) log(Level::info, problem);
  complaint = problem;
  return false;
}

void ask_until_ready(const std::function<bool()>& ready, const std::function<void()>& on_ready,
                     const std::stop_token& stop) {
  ThreadContext context;
  context.task_stop = stop;
  Context::set_current(&context);
  const auto begun = steady_clock::now();
  std::string complaint;
  for (auto pause = kFirstPause; !stop.stop_requested();
       pause = std::min(2 * pause, kLongestPause)) {
    if (ask(ready, complaint)) {
      const auto taken = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begun);
      if (!complaint.empty()) log(Level::info, "ready after ", taken.count(), " ms");
      on_ready();
      break;
    }
    context.sleep_until(steady_clock::now() + pause, stop);
  }
  Context::set_current(nullptr);
}

}  // namespace

Readiness::Readiness(const std::function<bool()>& ready, std::function<void()> on_ready)
    : thread_([&ready, on_ready = std::move(on_ready)](const std::stop_token& stop) {
        ask_until_ready(ready, on_ready, stop);
      }) {}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
