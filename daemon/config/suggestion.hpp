// Finds the word that was probably meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace viaduct::daemon::config {

// The known word nearest to `written`, or "" when none is near: one slip (a letter added, missing,
// replaced, or two swapped) in up to four letters, two in up to eight, three in longer words.
std::string_view nearest(std::string_view written, const std::vector<std::string_view>& known);

// "; did you mean \"workers\"?", or "" when nothing is near.
std::string did_you_mean(std::string_view written, const std::vector<std::string_view>& known);

}  // namespace viaduct::daemon::config
