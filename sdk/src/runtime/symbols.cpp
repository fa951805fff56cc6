#include "sdk/src/runtime/symbols.hpp"

// The compiler's own, which says where it is: GCC ships it, clang does not look there.
#include VIADUCT_BACKTRACE_HEADER

#include <dlfcn.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include <boost/core/demangle.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

// Bytes of a function's name that are shown; templates have long ones.
constexpr std::size_t kName = 400;
// Functions inlined into one that are shown.
constexpr std::size_t kInlined = 8;

void ignore(void*, const char*, int) {}

// What was read of the program's symbols cannot be given up, so there is one for all.
backtrace_state* state() {
  static backtrace_state* const shared = ::backtrace_create_state(nullptr, 1, &ignore, nullptr);
  return shared;
}

struct Place {
  std::string function;
  std::string file;
  int line = 0;
};

struct Found {
  std::string symbol;
  std::vector<Place> places;  // the function inlined most deeply first
};

std::string readable(const char* symbol) {
  std::string name = boost::core::demangle(symbol);
  if (name.size() > kName) name.replace(kName, std::string::npos, "...");
  return name;
}

void on_symbol(void* found, std::uintptr_t, const char* name, std::uintptr_t, std::uintptr_t) {
  if (name != nullptr) static_cast<Found*>(found)->symbol = readable(name);
}

int on_place(void* found, std::uintptr_t, const char* file, int line, const char* function) {
  Place place;
  if (function != nullptr) place.function = readable(function);
  if (file != nullptr) place.file = file;
  place.line = line;
  static_cast<Found*>(found)->places.push_back(std::move(place));
  return 0;
}

Found look_up(std::uintptr_t frame) {
  Found found;
  if (backtrace_state* const shared = state()) {
    ::backtrace_syminfo(shared, frame, &on_symbol, &ignore, &found);
    ::backtrace_pcinfo(shared, frame, &on_place, &ignore, &found);
  }
  // The last place is that of the function itself, and debug information may know the name of one
  // that has no symbol.
  if (found.symbol.empty() && !found.places.empty()) found.symbol = found.places.back().function;
  return found;
}

std::string where(const Place& place) {
  if (place.file.empty()) return {};
  return " at " + place.file.substr(place.file.rfind('/') + 1) + ':' + std::to_string(place.line);
}

// The headers of the language's library have many small functions. clang names their directory by
// way of its own: /usr/bin/../lib/gcc/.../include/c++/12.
bool of_a_library(const Place& place) {
  return place.file.starts_with("/usr/include/") ||
         place.file.find("/include/c++/") != std::string::npos;
}

bool of_the_application(const Place& place) {
  return !place.function.empty() && !of_a_library(place);
}

std::string module_and_offset(std::uintptr_t frame) {
  Dl_info module{};
  const bool known =
      ::dladdr(reinterpret_cast<void*>(frame), &module) != 0 && module.dli_fname != nullptr;
  char digits[20];
  const auto base = known ? reinterpret_cast<std::uintptr_t>(module.dli_fbase) : 0;
  const auto end = std::to_chars(digits, digits + sizeof digits, frame - base, 16);
  std::string text(known ? std::string_view(module.dli_fname) : std::string_view());
  text = text.substr(text.rfind('/') + 1);
  text += "+0x";
  text.append(digits, end.ptr);
  return text;
}

std::string describe(const Found& found, std::uintptr_t frame) {
  std::string text;
  std::size_t shown = 0;
  for (std::size_t i = 0; i + 1 < found.places.size() && shown < kInlined; ++i) {
    const Place& place = found.places[i];
    if (!of_the_application(place)) continue;
    text += place.function + " [inlined]" + where(place) + '\n';
    ++shown;
  }
  const std::string module = module_and_offset(frame);
  if (found.symbol.empty()) return text + module;
  text += found.symbol;
  if (!found.places.empty()) text += where(found.places.back());
  return text + " (" + module + ')';
}

// Whether nothing that is inlined there is the application's.
bool of_libraries(const Found& frame) {
  return !frame.places.empty() && std::ranges::all_of(frame.places, &of_a_library);
}

// How many of the frames belong to the handler and what it called.
std::size_t handler_frames(const std::vector<Found>& frames) {
  const auto has = [&](std::size_t i, std::string_view name) {
    return frames[i].symbol.find(name) != std::string::npos;
  };
  std::size_t end = frames.size();
  while (end > 0 && !has(end - 1, "::detail::Dispatcher::serve(")) --end;
  if (end == 0) return frames.size();
  const auto dispatches = [&](std::size_t i) {
    return has(i, "::detail::Dispatcher::") || has(i, "::detail::Onion");
  };
  // Between those there are frames of std::function, unless it is inlined.
  while (end > 0 && (dispatches(end - 1) || of_libraries(frames[end - 1]))) --end;
  return end == 0 ? frames.size() : end;
}

void append_lines(std::vector<std::string>& lines, std::string_view text) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace

std::string describe_frame(std::uintptr_t frame) {
  return describe(look_up(frame), frame);
}

std::vector<std::string> describe_stack(const StackFrames& frames) {
  std::vector<std::uintptr_t> addresses(frames.inner().begin(), frames.inner().end());
  addresses.insert(addresses.end(), frames.outer().begin(), frames.outer().end());
  std::vector<Found> found;
  found.reserve(addresses.size());
  for (const std::uintptr_t address : addresses) found.push_back(look_up(address));
  std::vector<std::string> lines;
  const std::size_t count = handler_frames(found);
  for (std::size_t i = 0; i < count; ++i) {
    if (i == frames.inner().size() && frames.omitted() > 0) {
      lines.push_back("... " + std::to_string(frames.omitted()) + " frames ...");
    }
    append_lines(lines, describe(found[i], addresses[i]));
  }
  return lines;
}

std::string stack_text(const StackFrames& frames, std::size_t limit) {
  std::string text;
  for (const std::string& line : describe_stack(frames)) {
    if (text.size() + line.size() + 1 > limit) break;
    text += line;
    text += '\n';
  }
  return text;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
