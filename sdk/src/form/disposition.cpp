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

const char* describe(PartFault fault) {
  switch (fault) {
    case PartFault::none:
      break;
    case PartFault::no_disposition:
      return "no Content-Disposition";
    case PartFault::two_dispositions:
      return "more than one Content-Disposition";
    case PartFault::bad_disposition:
      return "malformed Content-Disposition";
    case PartFault::not_form_data:
      return "a Content-Disposition other than form-data";
    case PartFault::unreadable_filename:
      return "a file name that cannot be read";
    case PartFault::transfer_encoding:
      return "a Content-Transfer-Encoding, which forms do not have";
  }
  return "a part of a form";
}

std::optional<Disposition> read_disposition(const Fields& headers, PartFault* fault) {
  const auto refuse = [fault](PartFault why) {
    if (fault != nullptr) *fault = why;
    return std::nullopt;
  };
  const auto dispositions = headers.all("Content-Disposition");
  if (dispositions.empty()) return refuse(PartFault::no_disposition);
  if (dispositions.size() > 1) return refuse(PartFault::two_dispositions);
  const auto parsed = parse_parameters(dispositions.front());
  if (!parsed) return refuse(PartFault::bad_disposition);
  if (parsed->value != "form-data") return refuse(PartFault::not_form_data);
  for (const std::string_view encoding : headers.all("Content-Transfer-Encoding")) {
    if (!leaves_content_alone(encoding)) return refuse(PartFault::transfer_encoding);
  }
  Disposition disposition;
  const auto name = parsed->get("name");
  disposition.named = name.has_value();
  disposition.name = name.value_or("");
  if (!read_filename(*parsed, disposition)) return refuse(PartFault::unreadable_filename);
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
