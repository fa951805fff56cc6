#include "protocol/fastcgi/params.hpp"

namespace viaduct::protocol::fastcgi {

Errc ParamsReader::feed(Bytes bytes) {
  variables_.append_stream(as_text(bytes));
  while (true) {
    const std::string_view text = variables_.untaken();
    PairLengths next = incomplete_;
    if (next.size == 0) {
      next = read_lengths(text);
      if (next.size == 0) return Errc::ok;
      const Errc error = variables_.admit(next.name, next.value);
      if (error != Errc::ok) return error;
    }
    if (text.size() < next.total()) {
      incomplete_ = next;
      return Errc::ok;
    }
    incomplete_.size = 0;
    variables_.take(next);
  }
}

Errc ParamsReader::finish(RequestHead& head) {
  if (within_pair()) return Errc::bad_params;
  return variables_.finish(head);
}

void ParamsReader::reset() {
  variables_.reset();
  incomplete_ = {};
}

}  // namespace viaduct::protocol::fastcgi
