#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/bridge/dispatch/client.hpp"
#include "daemon/bridge/dispatch/exchange.hpp"
#include "daemon/bridge/front/client_counts.hpp"
#include "daemon/bridge/front/expendable.hpp"
#include "daemon/bridge/front/front.hpp"
#include "daemon/bridge/front/patience.hpp"
#include "daemon/bridge/front/send_patience.hpp"
#include "daemon/bridge/memory/thread_memory.hpp"
#include "daemon/bridge/reactor.hpp"
#include "daemon/bridge/socket.hpp"
#include "protocol/proxy_header.hpp"

namespace viaduct::daemon::bridge {

class ConnectionList;

/// One connection of a front server: socket x codec, the same for every protocol.
///
/// It is read as long as every request on it wants more of its body, and one event's worth at a
/// time. Its end is the abort of every request on it. When the codec wants it closed while the
/// client is still sending a body, it is only half closed and the rest of the body read and
/// dropped, because some front servers write the whole body before they read.
class Connection final : public Client, public Flushable, private Watcher {
 public:
  /// The peer, as far as it is known when the connection is accepted.
  struct Standing {
    bool trusted = false;       ///< its VIADUCT_* and the listener's `forwarded` are believed
    bool proxy_header = false;  ///< its first bytes are a PROXY header, or it is closed
  };

  /// Owns `descriptor`.
  Connection(Front& front, ConnectionList& list, int descriptor, Standing standing);
  ~Connection();

  /// Answers its first request 503, and ends: it was accepted only to be told so. Ends without an
  /// answer when no request comes.
  void refuse_all();
  /// Its socket came from another process, which may still have it.
  void share() { socket_.share(); }
  /// Ends it with the next response, or now when idle.
  void drain();
  /// Between two requests, with nothing unread in our memory and nothing unsent.
  [[nodiscard]] bool idle() const;
  /// Whether another process could serve it from here, which knows of it only what the kernel says.
  [[nodiscard]] bool movable() const { return !proxied_; }
  /// Gives up the socket of an idle connection; the caller owns it, this is closed.
  int surrender();
  [[nodiscard]] int descriptor() const { return socket_.descriptor(); }
  void close();
  /// Bytes of memory that it holds, besides what its requests do.
  [[nodiscard]] std::size_t held() const { return memory_.bytes(); }
  /// Whether it has nothing but the head of a request, and that not whole.
  [[nodiscard]] bool only_head() const {
    return entries_.empty() && codec_->output().empty() && !between_requests();
  }
  /// How it would be closed for another one, if it may be: an HTTP client's, without a request.
  [[nodiscard]] std::optional<Expendable<Connection>> expendable();
  /// Counted among its client's connections until it is closed.
  void count(ClientCounts::Place place) { place_ = std::move(place); }
  /// Whether its peer has taken nothing of what is to be sent for at least so long.
  [[nodiscard]] bool unread_for(Clock::duration time) const {
    return blocked_ && reactor_.now() - taken_at_ >= time;
  }
  /// When idle, gives back what it keeps for the next request.
  void release_memory();
  /// Closes it when its peer has made it wait for too long.
  void tick(Clock::time_point now);
  [[nodiscard]] Front& front() { return front_; }

  void respond_head(protocol::RequestId id, const protocol::ResponseHead& head) override;
  void respond_body(protocol::RequestId id, protocol::Bytes bytes) override;
  void respond_copy(protocol::RequestId id, protocol::Bytes bytes) override;
  void respond_errors(protocol::RequestId id, protocol::Bytes bytes) override;
  void respond_end(protocol::RequestId id, std::uint32_t app_status) override;
  void respond_fail(protocol::RequestId id) override;
  void respond_short(protocol::RequestId id) override;
  bool take_back(protocol::RequestId id) override { return codec_->take_back(id); }
  void want_body(protocol::RequestId id) override;
  void resume_input(protocol::RequestId id) override;
  [[nodiscard]] std::size_t unsent() const override;
  [[nodiscard]] bool backed_up() const override { return blocked_; }
  [[nodiscard]] bool reads_input() const override { return socket_.watches_input(); }
  [[nodiscard]] std::uint32_t body_rate() const override { return front_.body_rate; }
  [[nodiscard]] bool may_upgrade() const override { return front_.settings.upgrade; }
  [[nodiscard]] bool delivers_files() const override { return front_.settings.send_file; }
  [[nodiscard]] bool wants_head_body() const override {
    return front_.settings.head_body == config::HeadBody::pass;
  }
  void close_after_response() override;
  [[nodiscard]] bool multiplexed() const override { return codec_->multiplexed(); }
  [[nodiscard]] std::string_view listener_name() const override { return front_.name; }

  void flush() override;

 private:
  friend class ConnectionList;
  struct Entry {
    protocol::RequestId id;
    Exchange* exchange;
    bool input_ended;
    bool submitted;
  };

  void on_readable() override;
  void on_writable() override;
  void watch_input();
  void feed(protocol::Bytes bytes);
  bool take_proxy_header(protocol::Bytes& bytes);
  bool introduce(const protocol::ProxyHeader& header);
  void take_events();
  void handle(const protocol::Event& event);
  void begin(protocol::RequestId id, protocol::RequestHead& head);
  void submit_new();
  void answer_refused(protocol::RequestId id, protocol::Errc error);
  void refuse(protocol::RequestId id, int status, bool with_body = true);
  void end_entry(protocol::RequestId id);
  Entry* find(protocol::RequestId id);
  [[nodiscard]] bool wants_input();
  void count_memory();
  [[nodiscard]] std::size_t backlog_room() const;
  void added_to_output(std::size_t room_before);
  void abandon_all();
  void finish_output();
  void reset();
  void linger();
  void close_malformed(std::string_view error);
  void lose_patience(Clock::time_point now);
  [[nodiscard]] bool between_requests() const {
    return codec_->idle() && (proxy_header_ == nullptr || proxy_header_->text().empty());
  }
  /// Whether it was closed because its peer takes nothing.
  bool lose_send_patience(Clock::time_point now);
  [[nodiscard]] bool refuses_all() const { return refuse_until_ != Clock::time_point{}; }

  Front& front_;
  Reactor& reactor_;
  ConnectionList& list_;
  Socket socket_;
  std::unique_ptr<protocol::ServerCodec> codec_;
  std::unique_ptr<protocol::ProxyHeaderReader> proxy_header_;  // null: none is awaited any more
  std::vector<Entry> entries_;
  MemoryShare memory_;
  ClientCounts::Place place_;
  std::size_t list_index_ = 0;
  bool trusted_;            // the peer, or whom a proxy has named in its place
  const bool proxied_;      // it begins with a PROXY header
  bool blocked_ = false;    // the socket takes nothing for now
  bool input_cut_ = false;  // a request ended before its body
  bool lingering_ = false;
  Clock::time_point linger_until_{};
  Clock::time_point refuse_until_{};  // epoch: it is served
  Clock::time_point taken_at_{};      // by the socket, some output
  Patience patience_;
  SendPatience send_patience_;
};

}  // namespace viaduct::daemon::bridge
