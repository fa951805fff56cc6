#include "tests/support/fastcgi_records.hpp"

#include <fastcgi.h>

namespace viaduct::test {
namespace {

void append_number(std::string& to, std::uint32_t number, int octets) {
  for (int i = octets - 1; i >= 0; --i) to.push_back(static_cast<char>(number >> (8 * i)));
}

std::string length(std::size_t size) {
  if (size >= 0x80) return long_length(static_cast<std::uint32_t>(size));
  return std::string(1, static_cast<char>(size));
}

}  // namespace

std::string record(unsigned type, unsigned id, std::string_view content, std::size_t padding,
                   unsigned version) {
  std::string bytes;
  bytes.push_back(static_cast<char>(version));
  bytes.push_back(static_cast<char>(type));
  append_number(bytes, id, 2);
  append_number(bytes, static_cast<std::uint32_t>(content.size()), 2);
  bytes.push_back(static_cast<char>(padding));
  bytes.push_back('\0');
  return bytes.append(content).append(padding, '\xee');
}

std::string padded_record(unsigned type, unsigned id, std::string_view content) {
  const std::size_t padding = (8 - content.size() % 8) % 8;
  std::string bytes = record(type, id, content, padding);
  return bytes.replace(bytes.size() - padding, padding, padding, '\0');
}

std::string begin_record(unsigned id, unsigned role, unsigned flags) {
  std::string body;
  append_number(body, role, 2);
  body.push_back(static_cast<char>(flags));
  return record(FCGI_BEGIN_REQUEST, id, body.append(5, '\x55'));
}

std::string abort_record(unsigned id) {
  return record(FCGI_ABORT_REQUEST, id, "");
}

std::string end_record(unsigned id, std::uint32_t app_status, unsigned protocol_status) {
  std::string body;
  append_number(body, app_status, 4);
  body.push_back(static_cast<char>(protocol_status));
  return record(FCGI_END_REQUEST, id, body.append(3, '\0'));
}

std::string credit_record(unsigned id, std::uint32_t bytes) {
  std::string body;
  append_number(body, bytes, 4);
  return record(128, id, body, 4);
}

std::string stdin_record(unsigned id, std::string_view content, std::size_t padding) {
  return record(FCGI_STDIN, id, content, padding);
}

std::string pair(std::string_view name, std::string_view value) {
  return length(name.size()).append(length(value.size())).append(name).append(value);
}

std::string long_length(std::uint32_t length) {
  std::string bytes;
  append_number(bytes, length | 0x80000000u, 4);
  return bytes;
}

std::string pairs(const NameValues& variables) {
  std::string bytes;
  for (const auto& [name, value] : variables) bytes += pair(name, value);
  return bytes;
}

std::string params_records(unsigned id, const NameValues& variables) {
  const std::string content = pairs(variables);
  std::string bytes;
  if (!content.empty()) bytes = record(FCGI_PARAMS, id, content, (8 - content.size() % 8) % 8);
  return bytes + record(FCGI_PARAMS, id, "");
}

std::string request(unsigned id, const NameValues& variables, std::string_view body,
                    unsigned flags) {
  std::string bytes = begin_record(id, FCGI_RESPONDER, flags) + params_records(id, variables);
  if (!body.empty()) bytes += stdin_record(id, body, (8 - body.size() % 8) % 8);
  return bytes + stdin_record(id, "");
}

std::string get_values(const NameValues& names) {
  return record(FCGI_GET_VALUES, 0, pairs(names));
}

}  // namespace viaduct::test
