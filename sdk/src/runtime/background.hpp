#pragma once

#include <functional>
#include <stop_token>
#include <thread>
#include <vector>

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// An app's background tasks, each on its thread; stopped and joined by the destructor. What a task
/// throws is logged, client_gone excepted.
class VIADUCT_API Background {
 public:
  explicit Background(const std::vector<std::function<void(std::stop_token)>>& tasks);

 private:
  std::vector<std::jthread> threads_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
