#include "daemon/bridge/front/refusal.hpp"

#include <string_view>

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

void tell_delivery(bool front_delivers, bool may_be_said, protocol::Pairs& params) {
  constexpr std::string_view kName = "VIADUCT_SEND_FILE";
  if (front_delivers) {
    if (may_be_said) params.erase(kName);
  } else {
    params.set(kName, "off");
  }
}

}  // namespace viaduct::daemon::bridge
