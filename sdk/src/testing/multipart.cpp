#include <algorithm>

#include <viaduct/testing.hpp>

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

// As browsers write names into a quoted string (HTML, "multipart form data").
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') {
      out += "%22";
    } else if (c == '\r') {
      out += "%0D";
    } else if (c == '\n') {
      out += "%0A";
    } else {
      out += c;
    }
  }
  return out + '"';
}

void append_encoded(std::string& to, std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '*';
    if (plain) {
      to += c;
    } else if (c == ' ') {
      to += '+';
    } else {
      to += '%';
      to += kDigits[byte >> 4];
      to += kDigits[byte & 15];
    }
  }
}

}  // namespace

Multipart& Multipart::field(std::string_view name, std::string_view value) {
  parts_.push_back(
      {"Content-Disposition: form-data; name=" + quoted(name) + "\r\n", std::string(value)});
  return *this;
}

Multipart& Multipart::file(std::string_view name, std::string_view filename,
                           std::string_view content, std::string_view type) {
  std::string head = "Content-Disposition: form-data; name=" + quoted(name) +
                     "; filename=" + quoted(filename) + "\r\n";
  if (!type.empty()) head += "Content-Type: " + std::string(type) + "\r\n";
  parts_.push_back({std::move(head), std::string(content)});
  return *this;
}

std::string Multipart::boundary() const {
  std::string boundary = "viaduct-boundary";
  const auto occurs = [&boundary](const Part& part) {
    return part.content.find(boundary) != std::string::npos ||
           part.head.find(boundary) != std::string::npos;
  };
  for (unsigned i = 0; std::any_of(parts_.begin(), parts_.end(), occurs); ++i) {
    boundary = "viaduct-boundary-" + std::to_string(i);
  }
  return boundary;
}

std::string Multipart::type() const {
  return "multipart/form-data; boundary=" + boundary();
}

std::string Multipart::body() const {
  const std::string mark = "--" + boundary();
  std::string body;
  for (const Part& part : parts_) {
    body += mark + "\r\n" + part.head + "\r\n" + part.content + "\r\n";
  }
  return body + mark + "--\r\n";
}

std::string urlencoded(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    if (!text.empty()) text += '&';
    append_encoded(text, name);
    text += '=';
    append_encoded(text, value);
  }
  return text;
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
