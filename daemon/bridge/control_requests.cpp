// Requests in flight, and routes whose requests make workers crash.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "daemon/bridge/control.hpp"
#include "daemon/channel/answer_memory.hpp"
#include "daemon/channel/lost_requests.hpp"
#include "daemon/channel/request_list.hpp"

namespace viaduct::daemon::bridge {

using channel::Message;
using channel::Type;

namespace {

// What a thread posts to itself is queued when its handler ends, behind what others post until
// then.
void tell(Reactor& reactor, std::function<void()> work) {
  if (reactor.executor().running_in_this_thread()) {
    work();
  } else {
    reactor.post(std::move(work));
  }
}

}  // namespace

// Behind the last thread: what each of them has posted to the first one comes before.
template <class Part>
void Control::gather(std::function<void(Thread&, std::function<void(Part)>)> ask,
                     std::function<void(std::vector<Part>)> done) {
  struct Parts {
    explicit Parts(std::size_t threads) : missing(threads), by_thread(threads) {}
    std::atomic<std::size_t> missing;
    std::vector<Part> by_thread;
  };
  auto parts = std::make_shared<Parts>(threads_.size());
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    const auto give = [this, parts, done, i](Part part) {
      if (stopped_) return;
      parts->by_thread[i] = std::move(part);
      if (parts->missing.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
      threads_.front()->reactor().post([parts, done] { done(std::move(parts->by_thread)); });
    };
    threads_[i]->reactor().post([ask, give, &thread = *threads_[i]] { ask(thread, give); });
  }
}

void Control::list_requests(const Message& question, UniqueFd memory) {
  if (question.app >= apps_.size()) return;
  Message answer;
  answer.type = Type::listing;
  answer.app = question.app;
  answer.serial = question.serial;
  const std::size_t stacks = question.count != 0 ? RequestListing::kMaxStacks : 0;
  gather<RequestListing>(
      [app = question.app, stacks](Thread& thread, std::function<void(RequestListing)> give) {
        thread.list_requests(app, stacks, std::move(give));
      },
      [this, answer, kept = std::make_shared<UniqueFd>(std::move(memory))](
          std::vector<RequestListing> parts) { send_requests(answer, *kept, std::move(parts)); });
}

void Control::send_requests(Message answer, const UniqueFd& memory,
                            std::vector<RequestListing> parts) {
  const RequestListing listing = merge(std::move(parts));
  const channel::EncodedList list = channel::encode(to_listed(listing));
  answer.count = static_cast<std::uint32_t>(listing.total);
  if (channel::write_answer(memory.get(), list.bytes)) {
    answer.count = static_cast<std::uint32_t>(listing.total - list.requests);
    answer.size = static_cast<std::uint32_t>(list.bytes.size());
  } else {
    log_.error("requests cannot be listed");
  }
  outbox_.send(answer);
}

void Control::remove_worker(const Message& message, UniqueFd memory) {
  known_.erase(message.serial);
  gather<channel::LostRequests>(
      [message](Thread& t, const std::function<void(channel::LostRequests)>& give) {
        give(t.app(message.app).remove(message.serial, message.status));
      },
      [this, message, kept = std::make_shared<UniqueFd>(std::move(memory))](
          std::vector<channel::LostRequests> parts) {
        judge(message.app, message.serial);
        if (message.count != 0) report_lost(message, *kept, std::move(parts));
      });
}

void Control::report_lost(const Message& dead, const UniqueFd& memory,
                          std::vector<channel::LostRequests> parts) {
  channel::LostRequests requests;
  for (channel::LostRequests& part : parts) requests.add(std::move(part));
  Message message;
  message.type = Type::requests_lost;
  message.app = dead.app;
  message.serial = dead.serial;
  message.count = static_cast<std::uint32_t>(requests.total);
  const std::string lines = encode(requests);
  if (channel::write_answer(memory.get(), lines)) {
    message.size = static_cast<std::uint32_t>(lines.size());
  } else {
    log_.error("lost requests cannot be told");
  }
  outbox_.send(message);
}

void Control::crashed(const WorkerInfo& info, std::vector<Suspect> suspects) {
  Reactor& first = threads_.front()->reactor();
  tell(first, [this, &first, app = info.app, serial = info.serial, suspects = std::move(suspects)] {
    guards_[app].died(serial, suspects, first.now());
  });
}

void Control::judge(std::uint32_t app, std::uint64_t worker) {
  open_routes();
  const auto closing = guards_[app].judge(worker, threads_.front()->reactor().now());
  if (closing) close_route(app, *closing);
}

void Control::cleared(std::uint32_t app, std::uint64_t worker, std::string route) {
  tell(threads_.front()->reactor(),
       [this, app, worker, route = std::move(route)] { guards_[app].clear(worker, route); });
}

void Control::close_route(std::uint32_t app, const PoisonGuard::Closing& closing) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(closing.duration).count();
  log_.error("route closed: workers crash with its requests", {{"app", settings_.apps[app].name},
                                                               {"route", closing.route},
                                                               {"crashes", closing.deaths},
                                                               {"seconds", seconds}});
  const auto until = threads_.front()->reactor().now() + closing.duration;
  on_every_thread(
      [app, route = closing.route, until](Thread& t) { t.app(app).close_route(route, until); });
}

void Control::open_routes() {
  const auto now = threads_.front()->reactor().now();
  for (std::uint32_t app = 0; app < guards_.size(); ++app) {
    for (const std::string& route : guards_[app].reopen(now)) {
      log_.info("route open again", {{"app", settings_.apps[app].name}, {"route", route}});
      on_every_thread([app, route](Thread& t) { t.app(app).open_route(route); });
    }
  }
}

}  // namespace viaduct::daemon::bridge
