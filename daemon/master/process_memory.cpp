#include "daemon/master/process_memory.hpp"

#include <unistd.h>

#include <charconv>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/config/text_file.hpp"

namespace viaduct::daemon::master {

namespace {

constexpr std::size_t kMaxProcesses = 64;

// Nothing when the process has ended, also while its file is being read.
std::string read_file(const std::string& path) {
  auto content = config::read_text_file(path);
  auto* const text = std::get_if<std::string>(&content);
  return text != nullptr ? std::move(*text) : std::string();
}

/// The next number in `text` behind blanks, which is taken off with them.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data() + begin, end, number);
  if (failure != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return number;
}

std::uint64_t memory_of_one(const std::string& directory) {
  if (const auto pss = parse_pss(read_file(directory + "smaps_rollup"))) return *pss;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return parse_rss(read_file(directory + "statm"), page).value_or(0);
}

}  // namespace

std::optional<std::uint64_t> parse_pss(std::string_view smaps_rollup) {
  constexpr std::string_view kKey = "\nPss:";
  const auto at = smaps_rollup.find(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  auto value = smaps_rollup.substr(at + kKey.size());
  const auto kibibytes = take_number(value);
  if (!kibibytes || !value.starts_with(" kB")) return std::nullopt;
  return *kibibytes * 1024;
}

std::optional<std::uint64_t> parse_rss(std::string_view statm, std::uint64_t page_size) {
  if (!take_number(statm)) return std::nullopt;
  const auto pages = take_number(statm);
  if (!pages) return std::nullopt;
  return *pages * page_size;
}

std::uint64_t memory_of(pid_t leader) {
  std::vector<std::uint64_t> processes{static_cast<std::uint64_t>(leader)};
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const std::string pid = std::to_string(processes[i]);
    const std::string directory = "/proc/" + pid + '/';
    bytes += memory_of_one(directory);
    const std::string children = read_file(directory + "task/" + pid + "/children");
    std::string_view left = children;
    while (processes.size() < kMaxProcesses) {
      const auto child = take_number(left);
      if (!child) break;
      processes.push_back(*child);
    }
  }
  return bytes;
}

}  // namespace viaduct::daemon::master
