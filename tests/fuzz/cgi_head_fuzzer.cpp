// A worker's response to the CGI head reader; what was read is written and read again.

#include "protocol/cgi_head.hpp"
#include "tests/fuzz/invariants.hpp"

namespace {

using namespace viaduct;

// No line may begin with anything but a token and a colon, whatever the values were.
void check_written(const protocol::ResponseHead& head) {
  std::string text;
  write_cgi_head(head, text);
  protocol::CgiHeadReader reader(text.size());
  if (reader.feed(protocol::as_bytes(text)) != text.size() || !reader.done()) std::abort();
  const protocol::ResponseHead& again = reader.head();
  if (again.status != head.status || again.fields.size() != head.fields.size()) std::abort();
}

// Whatever the status, its phrase is a part of one line.
void check_phrases() {
  for (int status = 0; status <= 1000; ++status) {
    protocol::ResponseHead head;
    head.status = status < 100 || status > 999 ? 500 : status;
    head.reason = protocol::reason_phrase(status);
    if (head.reason.empty()) std::abort();
    if (status % 50 == 0) check_written(head);
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  check_phrases();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = test::input(data, size);
  const auto once = [](const std::vector<std::string_view>& pieces) {
    protocol::CgiHeadReader reader(1024);
    std::string text = test::trace(reader, pieces);
    if (reader.done()) check_written(reader.head());
    if (reader.size() > 1024) std::abort();
    return text;
  };
  test::check_independent_of_cuts(bytes, once);
  // Arbitrary bytes as a value must not break the head that is written.
  protocol::ResponseHead hostile;
  hostile.reason = bytes;
  hostile.fields.add("X", bytes);
  check_written(hostile);
  std::string text;
  write_http_head(hostile, text);
  if (text.find('\n', text.find("\r\n") + 2) + 3 != text.size()) std::abort();
  return 0;
}
