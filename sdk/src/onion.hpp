#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include <viaduct/router.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Middleware around a handler: calls the layers from the outside in, then the core. Refers to
/// both. Without layers it costs one branch.
class Onion {
 public:
  Onion(const std::vector<Middleware>& layers, const Handler& core)
      : layers_(layers), core_(core) {}

  void operator()(Request& request, Response& response) const { call(0, request, response); }

 private:
  void call(std::size_t at, Request& request, Response& response) const {
    if (at == layers_.size()) {
      core_(request, response);
      return;
    }
    // Small enough to be kept inside the function object, without an allocation.
    const Handler next([this, at](Request& req, Response& res) { call(at + 1, req, res); });
    layers_[at](request, response, next);
  }

  const std::vector<Middleware>& layers_;
  const Handler& core_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
