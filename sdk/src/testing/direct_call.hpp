#pragma once

#include <viaduct/app.hpp>

#include "sdk/src/testing/outgoing.hpp"
#include "sdk/src/testing/reply_builder.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {

/// Has `app` answer the request in the calling thread.
void call_directly(const App& app, const Outgoing& request, ReplyBuilder& reply);

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
