#pragma once

#include <cstdint>

#include "protocol/one_request_client.hpp"

namespace viaduct::protocol::uwsgi {

/// Bytes of a block of variables at most: its length has 16 bits.
inline constexpr std::uint64_t kMaxBlock = 65'535;

/// Bytes that these variables take in a packet, which must not be more than kMaxBlock.
[[nodiscard]] std::uint64_t block_size(const Pairs& params);

/// The uwsgi protocol, client side: modifier1 and modifier2 are 0, a request to a WSGI, PSGI or
/// Rack application.
class ClientCodec final : public OneRequestClient {
 public:
  void params(RequestId id, const Pairs& params) override;
};

}  // namespace viaduct::protocol::uwsgi
