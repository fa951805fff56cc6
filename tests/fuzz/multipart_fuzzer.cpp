// A multipart body to its parser; the same bytes also as the Content-Disposition of a part.

#include <algorithm>

#include "sdk/src/fields_access.hpp"
#include "sdk/src/form/disposition.hpp"
#include "tests/fuzz/invariants.hpp"
#include "tests/sdk/form/multipart_trace.hpp"

namespace {

using namespace viaduct;

bool may_be_in_a_filename(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0x7f && c != '/' && c != '\\';
}

void check_disposition(std::string_view bytes) {
  Fields headers;
  detail::FieldsAccess::append(headers, "Content-Disposition", bytes);
  const auto disposition = detail::read_disposition(headers);
  if (!disposition) return;
  const std::string& name = disposition->filename;
  if (!std::all_of(name.begin(), name.end(), may_be_in_a_filename)) std::abort();
  if (name == "." || name == "..") std::abort();
  // Decoding never makes text longer than Latin-1 in UTF-8 would be.
  if (disposition->name.size() > bytes.size() || name.size() > 2 * bytes.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto once = [](const std::vector<std::string_view>& pieces) {
    return test::trace_multipart("b", pieces, {.parts = 4, .head = 200});
  };
  test::check_independent_of_cuts(test::input(data, size), once);
  check_disposition(test::input(data, size));
  return 0;
}
