// A query, and the same bytes as the urlencoded body of a form: both read the same pairs, as long
// as the limits of neither are exceeded.

#include <viaduct/errors.hpp>
#include <viaduct/values.hpp>

#include "sdk/src/form/urlencoded.hpp"
#include "tests/fuzz/invariants.hpp"

namespace {

using namespace viaduct;

constexpr std::size_t kPairs = 8;
constexpr std::size_t kText = 64;

using Items = std::span<const std::pair<std::string, std::string>>;

std::string show(Items pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    text += test::show(name) + "=" + test::show(value) + "\n";
  }
  return text;
}

bool within_limits(Items pairs) {
  for (const auto& [name, value] : pairs) {
    if (name.size() > kText || value.size() > kText) return false;
  }
  return pairs.size() <= kPairs;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = test::input(data, size);
  const auto once = [](const std::vector<std::string_view>& pieces) -> std::string {
    detail::UrlencodedParser parser({.pairs = kPairs, .text = kText});
    for (const std::string_view piece : pieces) {
      if (!parser.feed(piece)) return "beyond a limit";
    }
    if (!parser.finish()) return "beyond a limit";
    if (!within_limits(parser.pairs())) std::abort();
    return show(parser.pairs());
  };
  test::check_independent_of_cuts(bytes, once);
  const Values values(bytes, size);  // as many pairs as there can be
  const std::string form = once({bytes});
  if (form != (within_limits(values.items()) ? show(values.items()) : "beyond a limit")) {
    std::abort();
  }
  const std::size_t count = values.items().size();
  try {
    if (Values(bytes, kPairs).items().size() != count || count > kPairs) std::abort();
  } catch (const http_error&) {
    if (count <= kPairs) std::abort();
  }
  return 0;
}
