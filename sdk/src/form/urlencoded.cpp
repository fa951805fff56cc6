#include "sdk/src/form/urlencoded.hpp"

#include <algorithm>
#include <limits>

#include "sdk/src/percent.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

// Bytes of `%XX=%XX` when every byte of name and value is escaped.
std::size_t longest_encoded(std::size_t text) {
  constexpr std::size_t kPerByte = 2 * 3;
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  return text > (kMost - 1) / kPerByte ? kMost : text * kPerByte + 1;
}

}  // namespace

bool UrlencodedParser::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('&'), bytes.size());
    if (end > longest_encoded(limits_.text) - pair_.size()) {
      return fail(UrlencodedError::text_too_long);
    }
    pair_ += bytes.substr(0, end);
    if (end == bytes.size()) return true;
    bytes.remove_prefix(end + 1);
    if (!store()) return false;
  }
  return true;
}

bool UrlencodedParser::finish() {
  return store();
}

bool UrlencodedParser::store() {
  if (pair_.empty()) return true;
  if (pairs_.size() == limits_.pairs) return fail(UrlencodedError::too_many_pairs);
  const std::string_view pair = pair_;
  const std::size_t equals = std::min(pair.find('='), pair.size());
  std::string name = form_decode(pair.substr(0, equals));
  std::string value = form_decode(pair.substr(std::min(equals + 1, pair.size())));
  if (name.size() > limits_.text || value.size() > limits_.text) {
    return fail(UrlencodedError::text_too_long);
  }
  pairs_.emplace_back(std::move(name), std::move(value));
  pair_.clear();
  return true;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
