#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/answer_check.hpp"

namespace viaduct::bench {

/// Reads what a FastCGI application sends on one connection, sans I/O: bytes in, finished requests
/// out. Takes any record boundaries, padding and interleaving of requests.
class AnswerReader {
 public:
  struct Finished {
    std::uint16_t id;  ///< 1 to `ids`
    bool right;        ///< REQUEST_COMPLETE, app status 0 and the expected output
  };

  /// Requests have the ids 1 to `ids`. `check` is borrowed and must outlive the reader.
  AnswerReader(AnswerCheck& check, std::uint16_t ids) : check_(check), outputs_(ids) {}

  /// Takes bytes as they were received and appends the requests that they finish to `finished`.
  /// False when the bytes are not a FastCGI application's for these ids: the connection is to be
  /// closed, nothing more may be fed before `reset`.
  [[nodiscard]] bool feed(std::string_view bytes, std::vector<Finished>& finished);

  /// Forgets what was read: a new connection begins.
  void reset();

 private:
  struct Record {
    int type;
    std::uint16_t id;
    std::string_view content;
  };

  [[nodiscard]] bool take(std::string_view& bytes, std::vector<Finished>& finished);
  [[nodiscard]] bool handle(const Record& record, std::vector<Finished>& finished);

  AnswerCheck& check_;
  std::vector<std::string> outputs_;  // FCGI_STDOUT so far, by id - 1
  std::string rest_;                  // an incomplete record
};

}  // namespace viaduct::bench
