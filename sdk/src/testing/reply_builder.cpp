#include "sdk/src/testing/reply_builder.hpp"

#include "sdk/src/fields_access.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {

void ReplyBuilder::head(const protocol::ResponseHead& head) {
  headed_ = true;
  reply_.status = head.status;
  for (const auto [name, value] : head.fields) {
    detail::FieldsAccess::append(reply_.headers, std::string(name), value);
  }
}

void ReplyBuilder::body(protocol::Bytes bytes) {
  std::string_view text = protocol::as_text(bytes);
  // How much comes at once differs between transports; what the client has taken does not.
  if (leave_after_) text = text.substr(0, *leave_after_ - std::min(*leave_after_, body_size()));
  reply_.body += text;
}

Reply ReplyBuilder::take() {
  reply_.aborted = left() || !ended_ || !headed_;
  return std::move(reply_);
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
