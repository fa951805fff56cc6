#include "tests/support/scgi_bytes.hpp"

namespace viaduct::test {

std::string scgi_block(const NameValues& variables) {
  std::string block;
  for (const auto& [name, value] : variables) {
    block.append(name).push_back('\0');
    block.append(value).push_back('\0');
  }
  return block;
}

std::string netstring(std::string_view text) {
  return std::to_string(text.size()).append(":").append(text).append(",");
}

std::string scgi_request(const NameValues& variables, std::string_view body) {
  const NameValues first{{"CONTENT_LENGTH", std::to_string(body.size())}, {"SCGI", "1"}};
  return netstring(scgi_block(first) + scgi_block(variables)).append(body);
}

}  // namespace viaduct::test
