#include "tests/daemon/bridge/byte_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace viaduct::daemon::bridge::testing {

ByteClient::ByteClient(Stage& stage, const std::string& path)
    : ByteClient(stage, connect_to(path)) {}

ByteClient::ByteClient(Stage& stage, int descriptor) : stage_(stage), stream_(descriptor) {
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

ByteServer::ByteServer(Stage& stage, std::string path)
    : stage_(stage), path_(std::move(path)), listener_(listen_at(path_)) {
  stage_.add(*this);
}

ByteServer::~ByteServer() {
  stage_.remove(*this);
  ::close(listener_);
}

ByteClient* ByteServer::next() {
  if (!stage_.run_until([&] { return taken_ < connections_.size(); })) return nullptr;
  return connections_[taken_++].get();
}

short ByteServer::wanted() const {
  return POLLIN;
}

void ByteServer::ready(short) {
  const int accepted = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) connections_.push_back(std::make_unique<ByteClient>(stage_, accepted));
}

}  // namespace viaduct::daemon::bridge::testing
