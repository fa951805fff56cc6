#include "sdk/src/runtime/link.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

namespace viaduct {
inline namespace v1 {
namespace detail {

Exchange* ExchangeTable::find(protocol::RequestId id) const {
  if (id < small_.size()) return small_[id];
  if (id < kSmall) return nullptr;
  const auto found = large_.find(id);
  return found == large_.end() ? nullptr : found->second;
}

void ExchangeTable::insert(protocol::RequestId id, Exchange& exchange) {
  ++size_;
  if (id >= kSmall) {
    large_[id] = &exchange;
    return;
  }
  if (id >= small_.size()) small_.resize(std::size_t{id} + 1);
  small_[id] = &exchange;
}

void ExchangeTable::erase(protocol::RequestId id) {
  --size_;
  if (id < kSmall) {
    small_[id] = nullptr;
  } else {
    large_.erase(id);
  }
}

std::vector<Exchange*> ExchangeTable::list() const {
  std::vector<Exchange*> all;
  all.reserve(size_);
  for (Exchange* exchange : small_) {
    if (exchange != nullptr) all.push_back(exchange);
  }
  for (const auto& [id, exchange] : large_) all.push_back(exchange);
  return all;
}

Link::Link(boost::asio::io_context& io, int fd, std::unique_ptr<protocol::ServerCodec> codec_used,
           protocol::fastcgi::ServerCodec* fastcgi_codec, const ClientLimits& limits)
    : descriptor(io, fd), codec(std::move(codec_used)), fastcgi(fastcgi_codec), patience(limits) {}

Link::Sent Link::send() {
  constexpr std::size_t kPieces = 64;
  protocol::Output& output = codec->output();
  while (!output.empty()) {
    std::array<protocol::Bytes, kPieces> pieces;
    std::array<iovec, kPieces> vectors;
    const std::size_t count = output.gather(pieces);
    for (std::size_t i = 0; i < count; ++i) {
      vectors[i] = {const_cast<std::byte*>(pieces[i].data()), pieces[i].size()};
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      output.consume(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      output.settle();
      return Sent::blocked;
    } else if (errno != EINTR) {
      output.consume(output.size());
      return Sent::broken;
    }
  }
  return Sent::all;
}

std::uint64_t Link::unacknowledged() {
  int bytes = 0;
  if (::ioctl(fd(), SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::uint64_t>(bytes);
}

bool Link::readable() {
  std::byte byte;
  return ::recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void Link::close() {
  if (codec->reset_on_close()) {
    const linger abort{1, 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  }
  boost::system::error_code ignored;
  descriptor.close(ignored);
  open = false;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
