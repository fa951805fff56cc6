#include "tests/bench/answer_reader.hpp"

#include <fastcgi.h>

#include <algorithm>

namespace viaduct::bench {
namespace {

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

}  // namespace

bool AnswerReader::feed(std::string_view bytes, std::vector<Finished>& finished) {
  if (rest_.empty()) {
    if (!take(bytes, finished)) return false;
    rest_ = bytes;
    return true;
  }
  rest_.append(bytes);
  std::string_view unread = rest_;
  if (!take(unread, finished)) return false;
  rest_.erase(0, rest_.size() - unread.size());
  return true;
}

void AnswerReader::reset() {
  for (std::string& output : outputs_) output.clear();
  rest_.clear();
}

bool AnswerReader::take(std::string_view& bytes, std::vector<Finished>& finished) {
  while (bytes.size() >= FCGI_HEADER_LEN) {
    if (byte_at(bytes, 0) != FCGI_VERSION_1) return false;
    const std::size_t content = byte_at(bytes, 4) << 8 | byte_at(bytes, 5);
    const std::size_t whole = FCGI_HEADER_LEN + content + byte_at(bytes, 6);
    if (bytes.size() < whole) return true;
    const Record record{
        .type = static_cast<int>(byte_at(bytes, 1)),
        .id = static_cast<std::uint16_t>(byte_at(bytes, 2) << 8 | byte_at(bytes, 3)),
        .content = bytes.substr(FCGI_HEADER_LEN, content)};
    if (!handle(record, finished)) return false;
    bytes.remove_prefix(whole);
  }
  return true;
}

bool AnswerReader::handle(const Record& record, std::vector<Finished>& finished) {
  if (record.id == 0 || record.id > outputs_.size()) return false;
  std::string& output = outputs_[record.id - 1U];
  switch (record.type) {
    case FCGI_STDOUT: {
      // One byte beyond the longest right answer is enough to know that this one is wrong.
      const std::size_t enough = check_.longest() + 1;
      output.append(record.content.substr(0, enough - output.size()));
      return true;
    }
    case FCGI_STDERR:
      return true;
    case FCGI_END_REQUEST: {
      if (record.content.size() != sizeof(FCGI_EndRequestBody)) return false;
      const bool complete = std::all_of(record.content.begin(), record.content.begin() + 5,
                                        [](char byte) { return byte == 0; });
      finished.push_back({.id = record.id, .right = complete && check_.right(output)});
      output.clear();
      return true;
    }
    default:
      return false;
  }
}

}  // namespace viaduct::bench
