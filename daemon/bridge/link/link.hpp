#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/bridge/link/caller.hpp"
#include "daemon/bridge/link/unread_watch.hpp"
#include "daemon/bridge/memory/thread_memory.hpp"
#include "daemon/bridge/reactor.hpp"
#include "daemon/bridge/socket.hpp"
#include "daemon/config/request_settings.hpp"
#include "protocol/client_codec.hpp"
#include "protocol/fastcgi/flow_control.hpp"

namespace viaduct::daemon::bridge {

class Link;

/// Who a link belongs to: learns what concerns the link as a whole.
class LinkOwner {
 public:
  virtual void on_values(Link& link, const protocol::fastcgi::Values& values) = 0;
  /// A request ended, `taken` after it began, and left the link open: a slot is free.
  virtual void on_request_end(Link& link, Clock::duration taken) = 0;
  /// The link is closed, its `active` requests were told before; `lost` of these had not been
  /// answered completely. `reason` is for the log. The owner drops it through Reactor::bury.
  virtual void on_closed(Link& link, std::size_t active, std::size_t lost,
                         const std::string& reason) = 0;

 protected:
  ~LinkOwner() = default;
};

/// One FastCGI connection to a worker.
///
/// With flow control (`enable_window`) it carries many requests at once, each with its own credit
/// in both directions. Without, it carries one, which `pause` holds back by not reading, and which
/// is aborted by closing the connection.
///
/// Requests and control records are written in the order in which they are made; body bytes follow
/// round-robin, at most 32 KiB of a request at a time.
class Link final : public Flushable, private Watcher {
 public:
  /// `protocol`: with any but FastCGI it carries one request, and nothing may be asked.
  explicit Link(Reactor& reactor, LinkOwner& owner,
                config::ServerProtocol protocol = config::ServerProtocol::fastcgi);
  ~Link();

  /// Connects. A Unix socket completes at once, and on failure the link is unusable; TCP may go on
  /// (connecting()), and then a failure closes the link.
  std::error_code connect(const Destination& destination);
  [[nodiscard]] bool open() const { return socket_.is_open(); }

  /// Asks the worker for its values, offering our window. `draining`: and tells it that there are
  /// no more requests to come, so that responses without an end of their own should end.
  void ask(bool draining = false);
  /// Flow control is in force from now on: `window` is what the worker receives at most.
  void enable_window(std::uint32_t window) { peer_window_ = window; }
  [[nodiscard]] bool flow_controlled() const { return peer_window_ != 0; }

  /// Starts a request; `caller` is told of it until on_end or on_lost. `keep`: FCGI_KEEP_CONN.
  protocol::RequestId begin(Caller& caller, protocol::Role role, const protocol::Pairs& params,
                            bool keep);
  /// The same without flow control, for a request without body to a program that may still be at
  /// work for the one before: unread() tells.
  protocol::RequestId begin_watched(Caller& caller, protocol::Role role,
                                    const protocol::Pairs& params, bool keep);
  /// Whether nothing of the request that began last has been read, as far as that can be told: over
  /// Unix sockets only, and after begin_watched() only.
  [[nodiscard]] bool unread();
  /// Closes the connection because of that. The program may run the request later, in vain: it is
  /// for requests that can be repeated.
  void take_back(const std::string& reason);
  /// The caller has body bytes, or their end, to be fetched.
  void input_ready(protocol::RequestId id);
  /// Sends body bytes of the caller's directly, as far as nothing else is waiting and credit goes;
  /// returns how many. They are borrowed until the end of the reactor's event.
  std::size_t offer_input(protocol::RequestId id, protocol::Bytes bytes);
  /// Gives a request up. With flow control an ABORT goes out and on_end follows; without, the
  /// connection is closed, the caller hears on_lost, the owner on_closed.
  /// `linger`: without flow control too on_end follows, if all input is out and little output is
  /// left.
  void abort(protocol::RequestId id, bool linger = false);
  /// Asks, where flow control is in force, what the handler of a request is doing: the caller hears
  /// on_trace unless the request ends before. Whether it was asked.
  bool trace(protocol::RequestId id);
  /// Response bytes of a request were taken by its client: credit may be returned.
  void passed_on(protocol::RequestId id, std::uint32_t bytes);
  /// Without flow control: stop or go on reading, until the request ends.
  void pause(bool paused);

  /// Closes it; requests on it are lost. Does nothing when closed.
  void close(const std::string& reason);

  [[nodiscard]] std::size_t active() const { return active_; }
  /// Whether the connection is not made yet. Until then nothing is taken from the callers.
  [[nodiscard]] bool connecting() const { return connecting_; }
  /// When it was begun.
  [[nodiscard]] Clock::time_point since() const { return since_; }
  /// When the last request began.
  [[nodiscard]] Clock::time_point begun_at() const { return begun_at_; }
  /// Whether the worker has ever sent something, and so has accepted the connection.
  [[nodiscard]] bool heard() const { return heard_; }
  /// Whether the worker has had a byte of it.
  [[nodiscard]] bool delivered() const { return written_ > 0; }
  /// Whether a request was taken back, so that the program is busy with something else.
  [[nodiscard]] bool taken_back() const { return taken_back_; }
  /// Whether it was closed to abort a request, which the worker may not have noticed yet.
  [[nodiscard]] bool closed_by_abort() const { return closed_by_abort_; }
  /// Whether so much is unsent that no further request should be given to it.
  [[nodiscard]] bool congested() { return deaf_ || codec_->output().size() > kOutputLimit; }

  void flush() override;

  /// Our receive window, for each request.
  static constexpr std::uint32_t kWindow = protocol::fastcgi::kDefaultWindow;

 private:
  struct Slot {
    Caller* caller = nullptr;  // null: the id is free
    protocol::fastcgi::SendCredit to_worker;
    protocol::fastcgi::ReceiveCredit from_worker;
    std::uint64_t begins_at = 0;  // position of its first byte in all that was ever written
    Clock::time_point begun{};
    bool listed = false;   // in ready_
    bool in_data = false;  // what is sent is FCGI_DATA
    bool input_done = false;
    bool output_done = false;
    bool aborted = false;
  };

  static constexpr std::size_t kOutputLimit = 256 * 1024;
  static constexpr std::size_t kKeptOutput = 32 * 1024;  // bytes of memory, when nothing is unsent
  static constexpr std::size_t kDiscard = 256 * 1024;  // output of one that lingers, then it closes
  static constexpr std::size_t kTurn = 32 * 1024;      // body bytes of one request at a time
  static constexpr int kRounds = 4;                    // writes of one flush

  protocol::RequestId open_slot(Caller& caller);
  Slot* find(protocol::RequestId id) {
    if (id == 0 || id > slots_.size()) return nullptr;
    Slot* const slot = slots_.data() + (id - 1);
    return slot->caller == nullptr ? nullptr : slot;
  }
  void on_readable() override;
  void on_writable() override;
  [[nodiscard]] bool urgent() const override { return true; }
  void take_events();
  void handle(const protocol::ClientEvent& event);
  void handle_output(Slot& slot, protocol::Bytes bytes);
  void release(protocol::RequestId id);
  void pump();
  /// Whether the request has more to send.
  bool pump_one(protocol::RequestId id);
  bool end_stream(protocol::RequestId id, Slot& slot);
  bool write();
  void count_memory();
  std::size_t lose_requests();

  Reactor& reactor_;
  LinkOwner& owner_;
  Socket socket_;
  std::unique_ptr<protocol::ClientCodec> codec_;
  std::uint32_t peer_window_ = 0;  // 0: no flow control
  std::vector<Slot> slots_;        // by id - 1
  std::vector<protocol::RequestId> free_;
  MemoryShare memory_;
  std::deque<protocol::RequestId> ready_;  // requests with body bytes to fetch
  std::size_t active_ = 0;
  std::uint64_t written_ = 0;  // bytes
  bool begun_ = false;         // requests, since the last flush
  bool closed_by_abort_ = false;
  std::size_t discarded_ = 0;  // output of aborted requests
  bool blocked_ = false;       // the socket takes nothing for now
  bool connecting_ = false;
  Clock::time_point since_{};
  Clock::time_point begun_at_{};
  bool heard_ = false;
  bool heard_since_begun_ = false;
  bool local_ = false;  // a Unix socket
  UnreadWatch watch_;   // of the request that began last
  bool taken_back_ = false;
  bool deaf_ = false;  // the worker has closed; what it sent before is still being read
};

}  // namespace viaduct::daemon::bridge
