#include "daemon/bridge/front/refusal.hpp"

#include "daemon/bridge/dispatch/own_response.hpp"

namespace viaduct::daemon::bridge {

void answer(protocol::ServerCodec& codec, protocol::RequestId id, int status, bool with_body) {
  const OwnResponse response = own_response(status);
  codec.head(id, response.head);
  if (with_body) codec.body(id, protocol::as_bytes(response.body));
  codec.end(id);
  codec.output().settle();
}

void apply_overrides(const std::vector<config::ParamOverride>& overrides, bool trusted,
                     protocol::Pairs& params) {
  if (!trusted) params.erase_prefixed("VIADUCT_");
  for (const config::ParamOverride& override : overrides) {
    if (override.value) {
      params.set(override.name, *override.value);
    } else {
      params.erase(override.name);
    }
  }
}

}  // namespace viaduct::daemon::bridge
