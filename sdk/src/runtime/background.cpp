#include "sdk/src/runtime/background.hpp"

#include <exception>

#include <viaduct/log.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

Background::Background(const std::vector<std::function<void(std::stop_token)>>& tasks) {
  for (const auto& task : tasks) {
    threads_.emplace_back([&task](std::stop_token stop) {
      try {
        task(std::move(stop));
      } catch (const std::exception& error) {
        log(Level::error, "background task: ", error.what());
      } catch (...) {
        log(Level::error, "background task: an exception that is no std::exception");
      }
    });
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
