#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/bridge/dispatch/body_patience.hpp"
#include "daemon/bridge/dispatch/body_store.hpp"
#include "daemon/bridge/dispatch/client.hpp"
#include "daemon/bridge/dispatch/response_filter.hpp"
#include "daemon/bridge/dispatch/response_store.hpp"
#include "daemon/bridge/dispatch/stack_query.hpp"
#include "daemon/bridge/dispatch/stderr_lines.hpp"
#include "daemon/bridge/dispatch/wait_queue.hpp"
#include "daemon/bridge/link/worker.hpp"
#include "daemon/bridge/request_listing.hpp"
#include "daemon/bridge/services.hpp"

namespace viaduct::daemon::bridge {

class Dispatcher;

/// One request on its way through the bridge.
///
/// (new), where the body is gathered first (policy: bytes_to_gather): gathering until it is
/// complete or longer than that; then submit
///
///              submit              start               first head
///     (new) ----------> waiting ----------> sent --------------------> answering
///                       |  ^                 | |                           |
///            refused,   |  |  worker lost,   | | time-out, lost, bad head  | end, lost, stall
///            time-out,  |  +-- may_retry ----+ |                           |
///            client left|                      v                           v
///                       +-----------------> done <---- aborting <----------+
///                                           ^ on_end / on_lost    |  (the worker has yet to end
///                                           it) |                     | end or lost, with bytes
///                                           stored
///                                           +------ sending <-----+
///
/// Sending: the worker has ended, its slot is free, and the client is still given what the
/// ResponseStore holds; then the response is completed, or broken off as its worker left it.
///
/// The client side is gone once a response has ended or the client left (`client_` is null); the
/// worker side once the link said so (`carried_` is empty). When both are, the exchange is buried.
class Exchange final : public Caller, public Waiting {
 public:
  enum class Phase : std::uint8_t { gathering, waiting, sent, answering, sending, aborting, done };

  explicit Exchange(Services& services) : services_(services), memory_(services.reactor.memory()) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Becomes that request; `head` is swapped with what is left of an earlier one, for its memory.
  /// `lane`: among those of the app.
  void begin(Dispatcher& dispatcher, std::uint32_t lane, Client& client, protocol::RequestId id,
             protocol::RequestHead& head);
  /// Gives up what a request held beyond a few KiB of memory. After that, begin() or destruction.
  void retire();

  // From the front connection.
  /// To be called once what was received with the head has been handed in, too.
  void submit();
  void input(protocol::Bytes bytes);
  /// FCGI_STDIN of the Filter role is complete: FCGI_DATA follows as input.
  void input_split();
  void input_end();
  /// Whether body bytes are wanted; Client::resume_input says when they are again.
  [[nodiscard]] bool wants_input() const;
  /// The rest of the body goes to disk, so that others on its connection need not wait.
  void spool_input();
  /// Everything handed to the client has been taken by its socket.
  void output_drained();
  /// The client left, or is answered by others than the worker. `status`: with what; 0: it left.
  void abandon(int status = 0);

  // From the dispatcher.
  void start(Worker& worker, const Worker::Carried& carried);
  /// Answers with the bridge's own response and ends the request. `retry_after`: seconds, 0: none.
  void refuse(int status, std::uint32_t retry_after = 0);
  /// Ends it wherever it is, with 503 or in the middle of its response, and lets go of what it
  /// holds.
  void give_up();
  /// Whether what it holds in memory of its body, while that is gathered, or of its response is
  /// worth a descriptor.
  [[nodiscard]] bool wants_file() const;
  /// Then that goes to a file; without room for a body the request ends.
  void relieve();
  /// While its body is gathered: bytes of it per second since that has begun.
  [[nodiscard]] std::optional<double> gathering_rate() const;
  /// Looks at the time-outs; called about every 50 ms.
  void tick(Clock::time_point now);

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] const Dispatcher* dispatcher() const { return dispatcher_; }
  [[nodiscard]] Clock::time_point arrived() const { return arrived_; }
  [[nodiscard]] RequestEntry describe() const;
  /// Asks its worker what the handler does, for that place of a list of requests.
  void ask_stack(const std::shared_ptr<StackQuery>& query, std::size_t place);
  /// The same as one line, unescaped, for a report of its worker's end.
  [[nodiscard]] std::string summary() const;
  /// Whether a response head has been given to the client.
  [[nodiscard]] bool answered() const { return status_ != 0; }
  /// Bytes of memory that it is and holds, as last counted.
  [[nodiscard]] std::size_t held() const { return memory_.bytes(); }
  /// Whether its response has neither ended nor been given up.
  [[nodiscard]] bool has_client() const { return client_ != nullptr; }
  /// Its connection; null without a client.
  [[nodiscard]] const Client* client() const { return client_; }
  [[nodiscard]] const protocol::RequestHead& head() const { return head_; }
  [[nodiscard]] protocol::Pairs& params() { return head_.params; }
  /// Whether it has a body, or may have one: the client has not said that it has none.
  [[nodiscard]] bool may_have_body() const;
  /// Whether it may become a tunnel, on a listener that allows one (policy: asks_for_tunnel).
  [[nodiscard]] bool may_tunnel() const { return may_tunnel_; }
  [[nodiscard]] std::string_view method() const { return method_; }
  /// Serial of the worker that had it last; 0: none.
  [[nodiscard]] std::uint64_t last_worker() const { return last_worker_; }
  /// Whether it is for the app's canaries, if one of them is free.
  [[nodiscard]] bool is_canary() const { return is_canary_; }
  void set_canary(bool canary) { is_canary_ = canary; }
  /// How often it was taken back from a worker that had not read it. Each of these may still run
  /// it.
  [[nodiscard]] unsigned moves() const { return moves_; }
  /// Time left until the response head is due; nothing when there is no limit.
  [[nodiscard]] std::optional<std::chrono::milliseconds> time_left() const;
  /// When the response has to begin; time_point::max() where nothing limits it.
  [[nodiscard]] Clock::time_point deadline() const { return deadline_; }

  // From the link.
  void on_output(protocol::Bytes bytes) override;
  void on_errors(protocol::Bytes bytes) override;
  void on_trace(std::string_view text) override;
  void on_end(std::uint32_t app_status, protocol::fastcgi::ProtocolStatus status) override;
  bool on_lost(Lost lost) override;
  protocol::Bytes peek_input(std::size_t max) override;
  void consume_input(std::size_t bytes) override;
  [[nodiscard]] bool input_complete() const override;
  bool begin_data() override;

 private:
  friend class ExchangeList;

  /// Response bytes waiting for the front above which it is given none of what a plain worker
  /// sends, and no STDERR.
  static constexpr std::size_t kOutputHigh = 64 * 1024;

  enum class SlowReport : std::uint8_t { slow, expired };
  /// Whether the trace for a deadline that is about to pass was asked for.
  enum class Ahead : std::uint8_t { no, refused, asked };

  /// How a response ends once all of it was sent.
  struct Ending {
    bool complete = false;
    std::uint32_t app_status = 0;
  };

  /// Who waits for what its worker says of it.
  struct StackWaiter {
    std::shared_ptr<StackQuery> query;
    std::size_t place;
  };

  /// What the worker says of its handler, and what the slow log is to say.
  struct Trace {
    Clock::time_point asked_at;  // epoch: no answer is due
    Ahead ahead = Ahead::no;
    bool reported_slow = false;
    bool due_slow = false;  // records that wait for the answer
    bool due_expired = false;
    std::string text;
    std::vector<StackWaiter> waiters;
  };

  void start_clocks();
  void start_queue_clock();
  /// The body is complete, or is not gathered.
  void enter_queue();
  void begin_gathering();
  /// Body bytes have been added meanwhile.
  void gather_more();
  void end_gathering();
  void tell_length();
  /// Whether those that take its app's requests do.
  [[nodiscard]] bool speaks_fastcgi() const;
  void pass_head();
  void report_mended_head();
  void refuse_named_file();
  void prepare_store();
  void pass_body(protocol::Bytes bytes);
  void pause_if_full();
  bool send_stored();
  /// The worker has left: the response ends now, or once what is stored was sent.
  void end_response(bool complete, std::uint32_t app_status);
  void settle_response();
  void report_short();
  void finish_sending();
  /// The worker has not read it, and does not have it any more.
  void move_on();
  void try_again();
  /// `status`: what the client is told when no other worker may have it.
  void lose(bool delivered, std::string_view why, int status);
  void answer(int status, std::uint32_t retry_after);
  void send_own(int status, std::uint32_t retry_after);
  void end_client(std::uint32_t app_status);
  void fail_client();
  /// The same without an error of the worker's: nobody but the client is to blame.
  void break_off();
  /// The worker hears that it lost the request.
  void tell_loss(bool delivered);
  void leave_worker();
  void count_error();
  void abort_worker();
  void body_failed(int status, std::string_view why);
  [[nodiscard]] bool holds_body() const;
  [[nodiscard]] bool holds_response() const;
  void spool_failed(const std::error_code& error);
  void end_everywhere(int status, std::uint32_t retry_after);
  void count_memory();
  void run_clock(Clock::time_point now);
  void time_out();
  void tick_sent(Clock::time_point now);
  void tick_answering(Clock::time_point now);
  void tick_aborting(Clock::time_point now);
  void tick_blocked(Clock::time_point now);
  void tick_slow(Clock::time_point now);
  void ask_ahead(Clock::time_point now);
  void report_expired();
  void report(SlowReport report);
  bool ask_trace();
  void write_slow_log();
  void fail_stack_waiters();
  [[nodiscard]] bool is_filter() const { return head_.role == protocol::Role::filter; }
  /// Whether the next bytes have to be the client's. Never before the answer to a request that may
  /// become a tunnel: it has no body.
  [[nodiscard]] bool waits_for_client() const;
  /// Whether the worker cannot go on with its response because of the client.
  [[nodiscard]] bool held_back() const;
  /// Whether the client is to send body bytes now. In a tunnel it says what it likes, when it
  /// likes.
  [[nodiscard]] bool awaits_body() const;
  /// Whether the request ended because its client sends too little.
  bool lose_patience();
  /// Whether limits.body has no room for so many more bytes. Of a tunnel, which may last, what is
  /// held counts.
  [[nodiscard]] bool exceeds_body(std::size_t more) const;
  void bury_if_done();
  void write_access_log();
  [[nodiscard]] std::string request_line() const;

  Services& services_;
  Dispatcher* dispatcher_ = nullptr;
  Client* client_ = nullptr;
  protocol::RequestId client_id_ = 0;
  protocol::RequestHead head_;
  std::string method_;
  Phase phase_ = Phase::done;

  Worker* worker_ = nullptr;
  std::optional<Worker::Carried> carried_;
  std::uint64_t last_worker_ = 0;
  std::uint64_t lost_with_ = 0;  // the worker that was lost with it; 0: none
  unsigned attempts_ = 0;
  unsigned moves_ = 0;
  // An attempt was lost, delivered, before the head of a response, and its server blamed.
  bool lost_on_head_ = false;
  bool is_canary_ = false;
  bool from_canary_ = false;  // the worker that had it last is one
  bool stuck_ = false;
  bool paused_link_ = false;
  std::uint64_t unreturned_ = 0;  // response bytes for which credit is still due

  BodyStore body_;
  BodyPatience patience_;
  std::uint64_t gather_ = 0;  // bytes, see bytes_to_gather
  bool gathers_ = false;      // and the dispatcher counts it
  bool input_ended_ = false;
  bool may_tunnel_ = false;
  ResponseFilter response_;
  ResponseStore store_;
  Ending ending_;
  StderrLines errors_;
  std::uint64_t passed_ = 0;  // body bytes given to the client
  int status_ = 0;            // answered to the client; 0: not yet

  Clock::time_point arrived_;
  Clock::time_point queue_deadline_;
  Clock::time_point deadline_;
  Clock::time_point last_tick_;
  Clock::time_point last_output_;
  Clock::time_point blocked_since_;  // epoch: the client takes what we send
  Clock::time_point abort_by_;
  Trace trace_;
  MemoryShare memory_;
  std::size_t list_index_ = 0;  // in ExchangeList
};

}  // namespace viaduct::daemon::bridge
