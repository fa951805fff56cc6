#include "daemon/channel/message.hpp"

#include <algorithm>

namespace viaduct::daemon::channel {

namespace {

template <std::size_t Size>
void assign(std::array<char, Size>& to, std::string_view text) {
  to.fill('\0');
  std::copy_n(text.begin(), std::min(text.size(), Size - 1), to.begin());
}

}  // namespace

std::string_view to_string(AppState state) {
  switch (state) {
    case AppState::starting:
      return "starting";
    case AppState::serving:
      return "serving";
    case AppState::failing:
      return "failing";
    case AppState::idle:
      return "idle";
  }
  return "?";
}

void Message::set_path(std::string_view text) {
  assign(path, text);
}
void Message::set_reason(std::string_view text) {
  assign(reason, text);
}

}  // namespace viaduct::daemon::channel
