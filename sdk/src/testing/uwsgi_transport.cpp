#include <stdexcept>

#include "sdk/src/testing/cgi_transport.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

constexpr std::size_t kMaxBlock = 65535;  // its size is 16 bits wide

void append_size(std::size_t size, std::string& to) {
  to.push_back(static_cast<char>(size & 0xff));
  to.push_back(static_cast<char>(size >> 8 & 0xff));
}

std::string encode(const CgiVariables& variables) {
  std::string block;
  for (const auto& [name, value] : variables) {
    append_size(name.size(), block);
    block += name;
    append_size(value.size(), block);
    block += value;
    if (name.size() > kMaxBlock || block.size() > kMaxBlock) {
      throw std::length_error("uwsgi carries at most 65535 bytes of variables");
    }
  }
  std::string packet(1, '\0');  // modifier1: variables follow
  append_size(block.size(), packet);
  packet.push_back('\0');
  return packet + block;
}

}  // namespace

std::unique_ptr<Transport> make_uwsgi_transport() {
  return std::make_unique<CgiTransport>(encode);
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
