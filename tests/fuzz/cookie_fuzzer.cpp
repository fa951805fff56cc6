// A Cookie field: up to the first line feed the name that is looked for, then the field.

#include "sdk/src/cookie_header.hpp"
#include "tests/fuzz/invariants.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  const std::string_view bytes = test::input(data, size);
  const std::size_t line = bytes.find('\n');
  if (line == std::string_view::npos) return 0;
  const std::string_view name = bytes.substr(0, line);
  const std::string_view field = bytes.substr(line + 1);
  const auto value = detail::find_cookie(field, name);
  if (!value) {
    // What is not there is found once it is put in front, and not before.
    const bool sane = name.find_first_of("=; \t") == std::string_view::npos;
    const std::string with = std::string(name) + "=1;" + std::string(field);
    if (sane && detail::find_cookie(with, name) != "1") std::abort();
    return 0;
  }
  if (value->find(';') != std::string_view::npos) std::abort();
  if (!value->empty() &&
      (value->data() < field.data() || value->data() + value->size() > bytes.data() + size)) {
    std::abort();
  }
  return 0;
}
