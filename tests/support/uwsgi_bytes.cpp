#include "tests/support/uwsgi_bytes.hpp"

namespace viaduct::test {
namespace {

void append_length(std::size_t size, std::string& to) {
  to.push_back(static_cast<char>(size & 0xff));
  to.push_back(static_cast<char>(size >> 8 & 0xff));
}

}  // namespace

std::string uwsgi_block(const NameValues& variables) {
  std::string block;
  for (const auto& [name, value] : variables) {
    append_length(name.size(), block);
    block.append(name);
    append_length(value.size(), block);
    block.append(value);
  }
  return block;
}

std::string uwsgi_packet(std::string_view block, unsigned modifier1, unsigned modifier2) {
  std::string packet(1, static_cast<char>(modifier1));
  append_length(block.size(), packet);
  packet.push_back(static_cast<char>(modifier2));
  return packet.append(block);
}

std::string uwsgi_request(const NameValues& variables, std::string_view body) {
  const NameValues first{{"CONTENT_LENGTH", std::to_string(body.size())}};
  return uwsgi_packet(uwsgi_block(first) + uwsgi_block(variables)).append(body);
}

}  // namespace viaduct::test
