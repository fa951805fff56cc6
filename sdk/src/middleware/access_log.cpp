#include <memory>

#include <viaduct/middleware.hpp>

#include "sdk/src/request_state.hpp"
#include "sdk/src/response_state.hpp"

namespace viaduct {
inline namespace v1 {
namespace middleware {
namespace {

using Clock = std::chrono::steady_clock;

void append_quoted(std::string& line, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      line += "\\x";
      line += kDigits[byte >> 4];
      line += kDigits[byte & 15];
    } else {
      line += c;
    }
  }
}

std::string describe(const AccessLog& options, const Request& request,
                     detail::ResponseState& response, Clock::duration spent) {
  const auto tenths = std::chrono::duration_cast<std::chrono::microseconds>(spent).count() / 100;
  std::string line;
  append_quoted(line, request.remote_addr().empty() ? "-" : request.remote_addr());
  line += " \"";
  append_quoted(line, request.method());
  line += ' ';
  append_quoted(line, request.target());
  line += "\" " + std::to_string(response.status()) + (response.complete() ? "" : "!");
  line += ' ' + std::to_string(response.bytes_sent()) + ' ' + std::to_string(tenths / 10) + '.' +
          std::to_string(tenths % 10) + "ms";
  for (const std::string& name : options.headers) {
    line += " \"";
    append_quoted(line, request.headers().get(name).value_or("-"));
    line += '"';
  }
  return line;
}

}  // namespace

Middleware access_log(AccessLog options) {
  const auto shared = std::make_shared<const AccessLog>(std::move(options));
  return [shared](Request& request, Response& response, const Handler& next) {
    detail::ResponseState& state = detail::ResponseAccess::state(response);
    detail::RequestAccess::state(request).at_end([shared, &request, &state, begin = Clock::now()] {
      const std::string line = describe(*shared, request, state, Clock::now() - begin);
      if (shared->write) {
        shared->write(line);
      } else {
        request.log(shared->level, line);
      }
    });
    next(request, response);
  };
}

}  // namespace middleware
}  // namespace v1
}  // namespace viaduct
