#pragma once

#include <cstddef>
#include <string>

#include "tests/support/fastcgi_records.hpp"

namespace viaduct::bench {

/// A run that is counted, as its command line says:
///
///     PROGRAM PARAMS_FILE KIND IN_FLIGHT BODY BATCHES
struct Plan {
  test::NameValues params;  ///< of every request
  std::string kind;         ///< model of the worker, or protocol of the bridge's front server
  unsigned in_flight = 1;   ///< 1 to 1000
  std::size_t body = 0;     ///< bytes each way; 0: GET, answered with 13 bytes
  unsigned batches = 1;     ///< of `in_flight` requests each

  /// Throws std::runtime_error.
  static Plan parse(int argc, char** argv);

  /// Body of every answer.
  [[nodiscard]] std::string answer() const;
  /// A request as nginx sends it in FastCGI: params padded, the body in records of 32 KiB.
  [[nodiscard]] std::string fastcgi_request(unsigned id) const;
  /// The same as the bridge passes it on to a worker: without HTTP_PROXY, and with a deadline.
  [[nodiscard]] std::string link_request(unsigned id) const;
  /// The same request as the client sent it to nginx.
  [[nodiscard]] std::string http_request() const;
};

/// Lines NAME=VALUE.
test::NameValues read_params(const std::string& path);

/// Batches left: the answer to the last one ends the process, successfully.
class Progress {
 public:
  explicit Progress(const Plan& plan) : left_(plan.batches) {}
  void batch_answered();

 private:
  unsigned left_;
};

/// Print why the run gives no figure, and end the process.
[[noreturn]] void give_up(const std::string& why);

}  // namespace viaduct::bench
