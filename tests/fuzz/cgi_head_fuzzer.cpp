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
  // An interim response is read, and the final one awaited.
  const bool interim = head.status < 200 && head.status != 101;
  if (reader.feed(protocol::as_bytes(text)) != text.size() || reader.done() == interim) {
    std::abort();
  }
  if (interim) return;
  const protocol::ResponseHead& again = reader.head();
  if (again.status != head.status) std::abort();
  // To 205 belongs a length of nothing.
  if (again.fields.size() != head.fields.size() && head.status != 205) std::abort();
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
    reader.reset(protocol::HeadRules::strict);
    const std::string strict = test::trace(reader, pieces);
    const bool passed = reader.done();
    if (reader.mend() != protocol::Mend::none) std::abort();
    reader.reset(protocol::HeadRules::lenient);
    std::string text = test::trace(reader, pieces);
    // What strict rules pass needs no mending, and is the same.
    if (passed && (text != strict || reader.mend() != protocol::Mend::none)) std::abort();
    if (protocol::describe(reader.mend()) == std::string_view()) std::abort();
    if (reader.mended_line().size() > 64) std::abort();
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
