#include "tests/bench/load.hpp"

#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

#include "tests/bench/connection.hpp"
#include "tests/bench/request_bytes.hpp"

namespace viaduct::bench {
namespace {

std::int64_t read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::int64_t now() {
  return read_clock(CLOCK_MONOTONIC);
}

std::vector<std::string> requests_of(const LoadPlan& plan) {
  std::vector<std::string> requests;
  for (std::uint16_t i = 0; i < plan.requests_each; ++i) {
    requests.push_back(get_request(static_cast<std::uint16_t>(i + 1), plan.uri));
  }
  return requests;
}

class Load {
 public:
  explicit Load(const LoadPlan& plan);
  LoadResult run();

 private:
  struct Client {
    Client(std::span<const std::string> requests, AnswerCheck& check)
        : connection(requests, check) {}
    Connection connection;
    bool watched_for_room = false;
  };

  void open(Client& client);
  void turn(std::int64_t until);
  void handle(Client& client, std::uint32_t events);
  void account(const Connection& connection, const AnswerReader::Finished& answer, std::int64_t at);
  void give_up(Client& client, Connection::Io why);
  void watch_for_room(Client& client, bool wanted);
  void fail(std::uint64_t requests, const char* reason);
  [[nodiscard]] std::uint64_t in_flight() const;

  const LoadPlan& plan_;
  AnswerCheck check_;
  std::vector<std::string> requests_;
  Descriptor epoll_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<AnswerReader::Finished> finished_;
  std::array<char, 64 * 1024> buffer_;
  std::int64_t measure_from_ = 0;
  std::int64_t measure_until_ = 0;
  std::int64_t last_event_ = 0;
  bool sending_ = true;
  LoadResult result_;
};

Load::Load(const LoadPlan& plan)
    : plan_(plan),
      check_(plan.status, plan.body),
      requests_(requests_of(plan)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_.get() < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
  for (unsigned i = 0; i < plan.connections; ++i) {
    clients_.push_back(std::make_unique<Client>(requests_, check_));
    clients_.back()->connection.open(connect_unix(plan_.path, plan_.timeout));
  }
}

LoadResult Load::run() {
  const std::int64_t cpu_before = read_clock(CLOCK_PROCESS_CPUTIME_ID);
  last_event_ = now();
  measure_from_ = last_event_ + plan_.warmup.count();
  measure_until_ = measure_from_ + plan_.duration.count();
  for (const auto& client : clients_) open(*client);

  while (sending_ || in_flight() > 0) {
    const std::int64_t silent_at = last_event_ + plan_.timeout.count();
    turn(sending_ ? std::min(measure_until_, silent_at) : silent_at);
    const std::int64_t time = now();
    if (time >= measure_until_) sending_ = false;
    if (time >= last_event_ + plan_.timeout.count()) {
      fail(in_flight(), "no answer within the timeout");
      break;
    }
  }
  result_.measured = plan_.duration;
  result_.cpu = std::chrono::nanoseconds(read_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu_before);
  return result_;
}

void Load::open(Client& client) {
  client.watched_for_room = false;
  epoll_event event{.events = EPOLLIN, .data = {.ptr = &client}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.connection.fd(), &event) != 0) {
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
  }
  for (std::uint16_t id = 1; id <= plan_.requests_each; ++id) client.connection.queue(id);
  // A socket that is already closed again shows in the next turn.
  if (client.connection.write(now()) == Connection::Io::ok) {
    watch_for_room(client, client.connection.wants_to_write());
  }
}

void Load::turn(std::int64_t until) {
  std::array<epoll_event, 512> events;
  const std::int64_t wait = std::max<std::int64_t>(0, until - now());
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 static_cast<int>((wait + 999'999) / 1'000'000));
  if (count < 0 && errno != EINTR) {
    throw std::system_error(errno, std::system_category(), "epoll_wait");
  }
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    handle(*static_cast<Client*>(event.data.ptr), event.events);
  }
}

void Load::handle(Client& client, std::uint32_t events) {
  Connection& connection = client.connection;
  finished_.clear();
  Connection::Io io = Connection::Io::ok;
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0) io = connection.read(buffer_, finished_);
  last_event_ = now();
  for (const AnswerReader::Finished& answer : finished_) account(connection, answer, last_event_);
  if (io == Connection::Io::ok && sending_) {
    for (const AnswerReader::Finished& answer : finished_) connection.queue(answer.id);
  }
  if (io == Connection::Io::ok) io = connection.write(last_event_);
  if (io != Connection::Io::ok) {
    give_up(client, io);
    return;
  }
  watch_for_room(client, connection.wants_to_write());
}

void Load::account(const Connection& connection, const AnswerReader::Finished& answer,
                   std::int64_t at) {
  if (!answer.right) {
    fail(1, "wrong status or body");
    return;
  }
  ++result_.answers;
  if (at < measure_from_ || at >= measure_until_) return;
  result_.latency.record(static_cast<std::uint64_t>(at - connection.sent_at(answer.id)));
}

void Load::give_up(Client& client, Connection::Io why) {
  Connection& connection = client.connection;
  if (why == Connection::Io::broken) {
    fail(std::max(1U, connection.in_flight()), "not a FastCGI application's records");
  } else {
    fail(connection.in_flight(), "connection closed before the answer");
  }
  if (!sending_) {
    connection.open(Descriptor());
    return;
  }
  connection.open(connect_unix(plan_.path, plan_.timeout));
  open(client);
}

void Load::watch_for_room(Client& client, bool wanted) {
  if (client.watched_for_room == wanted) return;
  client.watched_for_room = wanted;
  const std::uint32_t interest = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
  epoll_event event{.events = interest, .data = {.ptr = &client}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client.connection.fd(), &event) != 0) {
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
  }
}

void Load::fail(std::uint64_t requests, const char* reason) {
  result_.failures += requests;
  if (requests > 0 && result_.first_failure.empty()) result_.first_failure = reason;
}

std::uint64_t Load::in_flight() const {
  std::uint64_t sum = 0;
  for (const auto& client : clients_) sum += client->connection.in_flight();
  return sum;
}

}  // namespace

LoadResult run_load(const LoadPlan& plan) {
  return std::make_unique<Load>(plan)->run();
}

}  // namespace viaduct::bench
