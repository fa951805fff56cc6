#pragma once

#include "protocol/one_request_client.hpp"

namespace viaduct::protocol::scgi {

/// SCGI (revision of 2008-06-23), client side. CONTENT_LENGTH comes first, 0 where the variables do
/// not have it, and SCGI behind it, whatever they say.
class ClientCodec final : public OneRequestClient {
 public:
  /// None may have a NUL in its name or value; those that a ServerCodec reports have none.
  void params(RequestId id, const Pairs& params) override;
};

}  // namespace viaduct::protocol::scgi
