#include "sdk/src/form/form_reader.hpp"

#include <algorithm>

#include <viaduct/errors.hpp>

#include "sdk/src/chars.hpp"
#include "sdk/src/form/parameters.hpp"
#include "sdk/src/form/part_reader.hpp"
#include "sdk/src/form/urlencoded.hpp"
#include "sdk/src/values_access.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::string_view kUrlencoded = "application/x-www-form-urlencoded";
constexpr std::string_view kMultipart = "multipart/form-data";
constexpr std::size_t kMaxBoundary = 70;  // RFC 2046 section 5.1.1
constexpr std::size_t kPiece = 16 * 1024;

[[noreturn]] void unsupported(const std::string& supported) {
  Fields headers;
  headers.set("Accept", supported);
  throw http_error(415, "Unsupported Media Type: this takes " + supported, std::move(headers));
}

Parameterized parse_type(std::string_view content_type) {
  if (content_type.empty()) return {};
  auto parsed = parse_parameters(content_type);
  if (!parsed) throw http_error(400, "malformed Content-Type");
  return std::move(*parsed);
}

std::string boundary_of(const Parameterized& type) {
  std::string boundary(type.get("boundary").value_or(""));
  const bool readable = std::all_of(boundary.begin(), boundary.end(), is_field_char);
  if (boundary.empty() || boundary.size() > kMaxBoundary || boundary.back() == ' ' || !readable) {
    throw http_error(400, "multipart body: no boundary that can be used in Content-Type");
  }
  return boundary;
}

[[noreturn]] void exceeded(UrlencodedError error, const FormLimits& limits) {
  if (error == UrlencodedError::too_many_pairs) {
    throw http_error(413, "the form has more than " + std::to_string(limits.parts) + " fields");
  }
  throw http_error(413,
                   "a field of the form is larger than " + std::to_string(limits.field) + " bytes");
}

void read_urlencoded(BodySource& body, const FormLimits& limits, Form& form) {
  const auto measure = [&limits](std::uint64_t total) {
    if (total <= limits.total) return;
    throw http_error(413, "the form is larger than " + std::to_string(limits.total) + " bytes");
  };
  measure(body.length().value_or(0));
  UrlencodedParser parser({.pairs = limits.parts, .text = limits.field});
  std::vector<char> piece(kPiece);
  std::uint64_t total = 0;
  while (const std::size_t got = body.read(std::as_writable_bytes(std::span(piece)))) {
    total += got;
    measure(total);
    if (!parser.feed({piece.data(), got})) exceeded(parser.error(), limits);
  }
  if (!parser.finish()) exceeded(parser.error(), limits);
  ValuesAccess::assign(form.values, std::move(parser.pairs()));
}

void read_field(PartReader& reader, std::string name, Form& form) {
  std::string value;
  for (auto piece = reader.piece(); !piece.empty(); piece = reader.piece()) value += piece;
  ValuesAccess::append(form.values, std::move(name), std::move(value));
}

void read_file(PartReader& reader, Disposition& disposition, const std::filesystem::path& directory,
               SpooledForm& spooled) {
  std::string_view piece = reader.piece();
  if (piece.empty() && disposition.filename_was_empty) return;
  SpoolFile& file = *spooled.files.emplace_back(std::make_unique<SpoolFile>(directory));
  for (; !piece.empty(); piece = reader.piece()) file.write(piece);
  file.close();
  spooled.form.files.push_back({.name = std::move(disposition.name),
                                .filename = std::move(disposition.filename),
                                .type = std::move(disposition.type),
                                .path = file.path(),
                                .size = file.size()});
}

void read_multipart(BodySource& body, const Parameterized& type, const FormLimits& limits,
                    SpooledForm& spooled) {
  const auto directory = limits.directory.empty() ? temporary_directory() : limits.directory;
  PartReader reader(body, boundary_of(type), limits);
  while (auto part = reader.next()) {
    if (part->disposition.is_file) {
      read_file(reader, part->disposition, directory, spooled);
    } else {
      read_field(reader, std::move(part->disposition.name), spooled.form);
    }
  }
}

}  // namespace

std::unique_ptr<SpooledForm> read_form(BodySource& body, std::string_view content_type,
                                       const FormLimits& limits) {
  auto spooled = std::make_unique<SpooledForm>();
  const Parameterized type = parse_type(content_type);
  if (type.value == kUrlencoded) {
    read_urlencoded(body, limits, spooled->form);
  } else if (type.value == kMultipart) {
    read_multipart(body, type, limits, *spooled);
  } else {
    unsupported(std::string(kUrlencoded) + ", " + std::string(kMultipart));
  }
  return spooled;
}

std::string multipart_boundary(std::string_view content_type) {
  const Parameterized type = parse_type(content_type);
  if (type.value != kMultipart) unsupported(std::string(kMultipart));
  return boundary_of(type);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
