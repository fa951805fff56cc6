#pragma once

#include <string>
#include <utility>
#include <vector>

#include <viaduct/app.hpp>
#include <viaduct/export.hpp>

#include "sdk/src/channel.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Has `app` answer one request in the calling thread. `variables` are checked and merged as those
/// that come over a connection; when they are refused, `sink` gets the answer that says so.
///
/// Exported from a shared libviaduct for libviaduct_testing.
VIADUCT_API void serve_directly(const App& app,
                                const std::vector<std::pair<std::string, std::string>>& variables,
                                BodySource& body, RequestControl& control, ResponseSink& sink);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
