#include "daemon/master/line_splitter.hpp"

#include <algorithm>

namespace viaduct::daemon::master {

void LineSplitter::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    const std::size_t room = limit_ - pending_.size();
    const std::size_t end = bytes.substr(0, room + 1).find('\n');
    if (end != std::string_view::npos) {
      pending_ += bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      if (!pending_.empty() && pending_.back() == '\r') pending_.pop_back();
      if (!pending_.empty() || !continued_) emit(sink);
      continued_ = false;
    } else if (bytes.size() <= room) {
      pending_ += bytes;
      return;
    } else {
      pending_ += bytes.substr(0, room);
      bytes.remove_prefix(room);
      emit(sink);
      continued_ = true;
    }
  }
}

void LineSplitter::finish(const Sink& sink) {
  if (!pending_.empty()) emit(sink);
  continued_ = false;
}

void LineSplitter::emit(const Sink& sink) {
  sink(pending_);
  pending_.clear();
}

}  // namespace viaduct::daemon::master
