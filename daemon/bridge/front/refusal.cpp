#include "daemon/bridge/front/refusal.hpp"

#include <string>

namespace viaduct::daemon::bridge {

void answer(protocol::ServerCodec& codec, protocol::RequestId id, int status) {
  const std::string text = std::to_string(status) + " " + protocol::reason_phrase(status) + "\n";
  protocol::ResponseHead head;
  head.status = status;
  head.reason = protocol::reason_phrase(status);
  head.fields.add("Content-Type", "text/plain; charset=utf-8");
  head.fields.add("Content-Length", std::to_string(text.size()));
  head.content_length = text.size();
  codec.head(id, head);
  codec.body(id, protocol::as_bytes(text));
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
