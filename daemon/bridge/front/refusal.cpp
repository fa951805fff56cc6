#include "daemon/bridge/front/refusal.hpp"

#include <string>

namespace viaduct::daemon::bridge {

int refusal_status(protocol::Errc error) {
  using protocol::Errc;
  switch (error) {
    case Errc::params_too_large:
    case Errc::param_name_too_long:
    case Errc::param_value_too_long:
    case Errc::too_many_params:
      return 431;
    case Errc::too_many_requests:
      return 503;
    case Errc::unknown_expectation:
      return 417;
    case Errc::unknown_coding:
      return 501;
    case Errc::unknown_version:
      return 505;
    default:
      return 400;
  }
}

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
