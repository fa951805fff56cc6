// Where a value of the configuration was written.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace viaduct::daemon::config {

// A position in a configuration file. A default-constructed Origin means "nowhere": the value is
// a built-in default, or the message is about the system rather than about a line of text.
struct Origin {
  std::shared_ptr<const std::string> file;  // as it is shown to people
  int line = 0;                             // from 1
  int column = 0;                           // from 1, in bytes

  explicit operator bool() const { return file != nullptr; }
};

// "FILE:LINE:COLUMN", or "" for nowhere.
std::string format(const Origin& origin);

// Two origins are equal when they name the same position, whoever owns the file name.
bool operator==(const Origin& left, const Origin& right);

// Origins of all values that were written down, by the path of their key ("apps.shop.workers",
// "listeners[0].address"). A path that is missing here has its default.
using Origins = std::map<std::string, Origin, std::less<>>;

}  // namespace viaduct::daemon::config
