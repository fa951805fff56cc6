#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <viaduct/type_key.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Objects that live as long as what serves requests, one per type. Used by any thread.
class Attachments {
 public:
  using Make = std::function<std::shared_ptr<void>()>;

  /// The object of that type; `make` makes it when it is first asked for.
  std::shared_ptr<void> get(TypeKey type, const Make& make) {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, object] : objects_) {
      if (key == type) return object;
    }
    return objects_.emplace_back(type, make()).second;
  }

 private:
  std::mutex mutex_;
  std::vector<std::pair<TypeKey, std::shared_ptr<void>>> objects_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
