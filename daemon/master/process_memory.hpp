#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace viaduct::daemon::master {

/// Physical memory in bytes that a process and its descendants (64 processes at most) use: of each
/// its proportional set size, in which a page shared by N processes counts 1/N; where the kernel
/// does not tell that, its resident set size. 0 when there is no such process.
std::uint64_t memory_of(pid_t leader);

/// The "Pss:" of a smaps_rollup file, in bytes.
std::optional<std::uint64_t> parse_pss(std::string_view smaps_rollup);

/// The resident pages of a statm file, in bytes.
std::optional<std::uint64_t> parse_rss(std::string_view statm, std::uint64_t page_size);

}  // namespace viaduct::daemon::master
