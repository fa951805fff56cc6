#include "protocol/output.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace viaduct::protocol {
namespace {

// Consumed bytes are kept in front of waiting ones until there are this many and they are the
// greater half, so that moving the rest down costs O(1) per byte.
constexpr std::size_t kCompactAtLeast = 64 * 1024;

}  // namespace

std::byte* Output::extend(std::size_t size) {
  size_ += size;
  appended_ += size;
  return owned_.extend(size);
}

void Output::refer(Bytes bytes) {
  if (bytes.size() < kReferAtLeast) return copy(bytes);
  references_.push_back({owned_.size(), bytes});
  size_ += bytes.size();
  appended_ += bytes.size();
}

std::size_t Output::gather(std::span<Bytes> pieces) const {
  std::size_t filled = 0;
  std::size_t at = consumed_;
  std::size_t next = first_reference_;
  while (filled < pieces.size()) {
    const std::size_t until = next < references_.size() ? references_[next].at : owned_.size();
    if (at < until) {
      pieces[filled++] = owned_.view(at, until);
      at = until;
    } else if (next < references_.size()) {
      pieces[filled++] = references_[next++].bytes;
    } else {
      break;
    }
  }
  return filled;
}

void Output::consume(std::size_t count) {
  assert(count <= size_);
  size_ -= count;
  while (count > 0) {
    const bool referring = first_reference_ < references_.size();
    const std::size_t until = referring ? references_[first_reference_].at : owned_.size();
    if (consumed_ < until) {
      const std::size_t step = std::min(count, until - consumed_);
      consumed_ += step;
      count -= step;
      continue;
    }
    if (!referring) break;
    Bytes& bytes = references_[first_reference_].bytes;
    const std::size_t step = std::min(count, bytes.size());
    bytes = bytes.subspan(step);
    count -= step;
    if (bytes.empty()) ++first_reference_;
  }
  forget_consumed();
}

void Output::forget_consumed() {
  if (size_ == 0) {
    owned_before_ += owned_.size();
    owned_.clear();
    references_.clear();
    consumed_ = 0;
    first_reference_ = 0;
    return;
  }
  if (consumed_ < kCompactAtLeast || consumed_ < owned_.size() / 2) return;
  owned_.drop_front(consumed_);
  references_.erase(references_.begin(),
                    references_.begin() + static_cast<std::ptrdiff_t>(first_reference_));
  for (Reference& reference : references_) reference.at -= consumed_;
  owned_before_ += consumed_;
  consumed_ = 0;
  first_reference_ = 0;
}

void Output::settle() {
  if (first_reference_ == references_.size()) return;
  // Marks handed out before count other bytes now: none of them can be revised any more.
  owned_before_ += owned_.size();
  std::size_t from = owned_.size();
  std::size_t referred = 0;
  for (std::size_t i = first_reference_; i < references_.size(); ++i) {
    referred += references_[i].bytes.size();
  }
  owned_.extend(referred);
  // From the end, so that nothing is overwritten before it was moved; what stands in front of the
  // first reference, however much that is, stays where it is.
  std::size_t to = owned_.size();
  for (std::size_t i = references_.size(); i-- > first_reference_;) {
    const Reference& reference = references_[i];
    const std::size_t behind = from - reference.at;
    to -= behind;
    std::memmove(owned_.data() + to, owned_.data() + reference.at, behind);
    to -= reference.bytes.size();
    std::memcpy(owned_.data() + to, reference.bytes.data(), reference.bytes.size());
    from = reference.at;
  }
  assert(to == from);
  references_.clear();
  first_reference_ = 0;
}

std::byte* Output::revise(Mark mark) {
  if (mark < owned_before_ + consumed_ || mark >= owned_before_ + owned_.size()) return nullptr;
  return owned_.data() + (mark - owned_before_);
}

void Output::drop_tail(std::size_t count) {
  assert(count <= owned_.size() - consumed_);
  assert(references_.empty() || references_.back().at <= owned_.size() - count);
  owned_.drop_tail(count);
  size_ -= count;
  appended_ -= count;
}

void Output::release() {
  if (size_ != 0) return;
  owned_before_ += owned_.size();
  owned_.release();
  give_back(references_);
  consumed_ = 0;
  first_reference_ = 0;
}

}  // namespace viaduct::protocol
