#pragma once

#include <string>
#include <vector>

namespace viaduct::daemon::tool {

/// Columns under a heading, two spaces apart; a heading that begins with '>' (not shown) stands
/// above a column aligned to the right. The last column is not padded.
class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  /// As many cells as there are headings.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.size() == 1; }
  std::string text() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace viaduct::daemon::tool
