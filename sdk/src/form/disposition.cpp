#include "sdk/src/form/disposition.hpp"

#include <algorithm>

#include "protocol/text.hpp"
#include "sdk/src/chars.hpp"
#include "sdk/src/form/parameters.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

bool leaves_content_alone(std::string_view encoding) {
  return equal_nocase(encoding, "binary") || equal_nocase(encoding, "8bit") ||
         equal_nocase(encoding, "7bit");
}

// False when there is a file name, but none that can be read.
bool read_filename(const Parameterized& parsed, Disposition& disposition) {
  const auto plain = parsed.get("filename");
  const auto extended = parsed.get("filename*");
  disposition.is_file = plain || extended;
  if (!disposition.is_file) return true;
  std::optional<std::string> raw;
  if (extended) raw = decode_extended(*extended);
  if (!raw && plain) raw = *plain;
  if (!raw) return false;
  disposition.filename_was_empty = raw->empty();
  disposition.filename = clean_filename(*raw);
  return true;
}

}  // namespace

std::optional<Disposition> read_disposition(const Fields& headers) {
  const auto dispositions = headers.all("Content-Disposition");
  if (dispositions.size() != 1) return std::nullopt;
  const auto parsed = parse_parameters(dispositions.front());
  if (!parsed || parsed->value != "form-data") return std::nullopt;
  const auto name = parsed->get("name");
  if (!name) return std::nullopt;
  for (const std::string_view encoding : headers.all("Content-Transfer-Encoding")) {
    if (!leaves_content_alone(encoding)) return std::nullopt;
  }
  Disposition disposition;
  disposition.name = *name;
  if (!read_filename(*parsed, disposition)) return std::nullopt;
  const std::string_view type = headers.get("Content-Type").value_or("");
  disposition.type = type.empty() ? "text/plain" : type;
  return disposition;
}

std::string clean_filename(std::string_view name) {
  const std::size_t separator = name.find_last_of("/\\");
  if (separator != std::string_view::npos) name.remove_prefix(separator + 1);
  std::string clean;
  std::copy_if(name.begin(), name.end(), std::back_inserter(clean),
               [](char c) { return is_field_char(c) && c != '\t'; });
  return clean == "." || clean == ".." ? std::string() : clean;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
