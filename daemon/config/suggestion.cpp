#include "daemon/config/suggestion.hpp"

#include <algorithm>

namespace viaduct::daemon::config {
namespace {

constexpr std::size_t kLongestWord = 64;  // nobody mistypes more; bounds the quadratic work

// Optimal string alignment: Levenshtein distance with swaps of neighbours as one step.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

std::size_t slips_allowed(std::size_t length) {
  return length <= 4 ? 1 : length <= 8 ? 2 : 3;
}

}  // namespace

std::string_view nearest(std::string_view written, const std::vector<std::string_view>& known) {
  if (written.empty() || written.size() > kLongestWord) return {};
  std::string_view best;
  std::size_t best_distance = slips_allowed(written.size()) + 1;
  for (const std::string_view word : known) {
    if (word.size() > kLongestWord) continue;
    const std::size_t steps = distance(written, word);
    if (steps < best_distance && steps < word.size()) {
      best = word;
      best_distance = steps;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view written, const std::vector<std::string_view>& known) {
  const std::string_view word = nearest(written, known);
  return word.empty() ? std::string() : "; did you mean \"" + std::string(word) + "\"?";
}

}  // namespace viaduct::daemon::config
