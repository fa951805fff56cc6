#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "protocol/fastcgi/params.hpp"
#include "protocol/keyed_hash.hpp"
#include "protocol/memory.hpp"
#include "protocol/message.hpp"

namespace viaduct::protocol::fastcgi {

/// One active request of the server side.
///
///              PARAMS end           STDIN end (filter)          DATA end
///     params ------------> stdin_ ---------------------> data -----------> done
///        |   (authorizer) ----+------- STDIN end (responder) ---------------^
///        | bad params         | aborted, or the body is truncated
///        +------------------> skipping <-- (from any state)
///
/// done and skipping end with END_REQUEST; in both, input is ignored. In skipping nothing more is
/// reported either.
struct ActiveRequest {
  enum class Input : std::uint8_t { params, stdin_, data, done, skipping };

  Input input = Input::params;
  Role role = Role::responder;
  bool keep_connection = false;
  bool reported = false;     ///< a `request` or `refused` event was given: the owner answers
  bool refused = false;      ///< that event was `refused`: nothing more is reported
  bool aborted = false;      ///< an `abort` event was given
  bool failed = false;       ///< its response broke off: the connection ends when the others have
  bool errors_sent = false;  ///< STDERR needs its empty record
  std::optional<std::uint64_t> content_length;
  std::uint64_t received = 0;  ///< bytes of STDIN
  std::unique_ptr<ParamsReader> params;
  std::size_t params_memory = 0;  ///< bytes that `params` held when the codec last counted
};

/// The active requests of one connection by id. Its memory follows the greatest number ever active
/// at once, not the ids used; all operations take constant time on average, whatever ids the peer
/// chooses: where one lies depends on a key of this process. References are valid until the next
/// insert.
class RequestTable {
 public:
  [[nodiscard]] ActiveRequest* find(RequestId id) {
    // The records of one request come one after the other, mostly.
    if (id == found_.id && id != 0) return requests_.data() + found_.slot;
    return search(id);
  }
  /// `id` must not be in the table.
  ActiveRequest& insert(RequestId id);
  void erase(RequestId id);
  void clear();
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Bytes of memory that it holds, without those of parameter readers.
  [[nodiscard]] std::size_t memory() const {
    return memory_of(keys_) + memory_of(requests_) + memory_of(free_);
  }

 private:
  struct Key {
    RequestId id = 0;        // 0: free, no request has it
    std::uint16_t slot = 0;  // index into requests_
  };

  // A number below keys_.size(), a power of two: the upper bits of a product. The product of a key
  // alone would put ids that follow each other close together with some keys.
  [[nodiscard]] std::size_t home(RequestId id) const {
    constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;
    const std::uint64_t keyed = id * multiplier_;
    return (keyed ^ keyed >> 32) * kMix >> shift_;
  }
  // Places from the home of the key that is there; there has to be one.
  [[nodiscard]] std::size_t distance(std::size_t at) const {
    return (at - home(keys_[at].id)) & (keys_.size() - 1);
  }
  void place(Key key);
  [[nodiscard]] std::size_t locate(RequestId id) const;
  [[nodiscard]] ActiveRequest* search(RequestId id);
  void grow();

  // Open addressing, linear probing, at most half full. Along a run of keys their homes ascend
  // (Robin Hood hashing).
  std::vector<Key> keys_;
  std::vector<ActiveRequest> requests_;
  std::vector<std::uint16_t> free_;
  Key found_;  // the last one that was inserted or found, unless it was erased
  std::size_t size_ = 0;
  std::uint64_t multiplier_ = process_hash_key().first | 1;
  unsigned shift_ = 64;  // 64 less the logarithm of keys_.size()
};

}  // namespace viaduct::protocol::fastcgi
