#include <stdexcept>

#include <viaduct/middleware.hpp>

#include "sdk/src/chars.hpp"

namespace viaduct {
inline namespace v1 {
namespace middleware {

void Timings::add(std::string_view name, std::chrono::nanoseconds spent) {
  if (!detail::is_token(name)) {
    throw std::invalid_argument("Server-Timing: \"" + std::string(name) + "\" is not a token");
  }
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(spent).count();
  const std::string rest = std::to_string(micros % 1000);
  if (!text_.empty()) text_ += ", ";
  text_ += std::string(name) + ";dur=" + std::to_string(micros / 1000) + '.' +
           std::string(3 - std::min<std::size_t>(rest.size(), 3), '0') + rest;
}

Middleware timing(Timing options) {
  Timings().add(options.name, {});
  return
      [name = std::move(options.name)](Request& request, Response& response, const Handler& next) {
        response.before_start(
            [name, &request, begin = std::chrono::steady_clock::now()](Response& head) {
              Timings all = request.local<Timings>();
              all.add(name, std::chrono::steady_clock::now() - begin);
              head.headers().add("Server-Timing", all.text());
            });
        next(request, response);
      };
}

}  // namespace middleware
}  // namespace v1
}  // namespace viaduct
