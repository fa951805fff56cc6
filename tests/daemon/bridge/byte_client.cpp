#include "tests/daemon/bridge/byte_client.hpp"

#include <poll.h>

namespace viaduct::daemon::bridge::testing {

ByteClient::ByteClient(Stage& stage, const std::string& path)
    : stage_(stage), stream_(connect_to(path)) {
  stage_.add(*this);
}

ByteClient::~ByteClient() {
  stage_.remove(*this);
}

bool ByteClient::wait_for(std::string_view text) {
  return stage_.run_until([&] { return received_.find(text) != std::string::npos; });
}

bool ByteClient::wait_closed() {
  return stage_.run_until([&] { return stream_.ended || stream_.failed; });
}

std::size_t ByteClient::count(std::string_view text) const {
  std::size_t found = 0;
  for (std::size_t at = received_.find(text); at != std::string::npos;
       at = received_.find(text, at + text.size())) {
    ++found;
  }
  return found;
}

void ByteClient::ready(short events) {
  if ((events & POLLOUT) != 0) stream_.flush();
  if ((events & (POLLIN | POLLERR)) != 0 && descriptor() >= 0) received_ += stream_.read();
}

}  // namespace viaduct::daemon::bridge::testing
