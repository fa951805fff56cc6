// The files that make up a configuration: the main one and those it includes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "daemon/config/document.hpp"

namespace viaduct::daemon::config {

inline constexpr std::size_t kMaxIncludedFiles = 1024;

// Reads and parses one file; a null node, and an error, when it cannot be read.
NodePtr read_document(const std::filesystem::path& file, Report& report);

// The files that the patterns under `include` of the main file stand for, in order: patterns as
// written, each sorted by bytes. Relative ones are against the directory of the main file. A
// pattern with * ? or [ may match nothing; a plain path must exist.
std::vector<NodePtr> read_included(const Node& main, Report& report);

}  // namespace viaduct::daemon::config
