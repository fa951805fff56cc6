#include "daemon/bridge/dispatch/own_response.hpp"

namespace viaduct::daemon::bridge {

OwnResponse own_response(int status) {
  OwnResponse response;
  response.body = std::to_string(status) + " " + protocol::reason_phrase(status) + "\n";
  response.head.status = status;
  response.head.reason = protocol::reason_phrase(status);
  response.head.fields.add("Content-Type", "text/plain; charset=utf-8");
  response.head.fields.add("Content-Length", std::to_string(response.body.size()));
  response.head.content_length = response.body.size();
  return response;
}

}  // namespace viaduct::daemon::bridge
