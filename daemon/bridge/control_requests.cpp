// Requests in flight, and routes whose requests make workers crash.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <system_error>
#include <utility>

#include "daemon/bridge/control.hpp"
#include "daemon/channel/sealed_memory.hpp"

namespace viaduct::daemon::bridge {

using channel::Message;
using channel::Type;

void Control::list_requests(const Message& question) {
  struct Parts {
    explicit Parts(std::size_t threads) : missing(threads), by_thread(threads) {}
    std::atomic<std::size_t> missing;
    std::vector<RequestListing> by_thread;
  };
  if (question.app >= apps_.size()) return;
  auto parts = std::make_shared<Parts>(threads_.size());
  Message answer;
  answer.type = Type::listing;
  answer.app = question.app;
  answer.serial = question.serial;
  const std::size_t stacks = question.count != 0 ? RequestListing::kMaxStacks : 0;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    const auto listed = [this, parts, answer, i](RequestListing listing) {
      if (stopped_) return;
      parts->by_thread[i] = std::move(listing);
      if (parts->missing.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
      threads_.front()->reactor().post(
          [this, parts, answer] { send_requests(answer, std::move(parts->by_thread)); });
    };
    threads_[i]->reactor().post([answer, stacks, listed, &thread = *threads_[i]] {
      thread.list_requests(answer.app, stacks, listed);
    });
  }
}

void Control::send_requests(Message answer, std::vector<RequestListing> parts) {
  const RequestListing listing = merge(std::move(parts));
  answer.count = static_cast<std::uint32_t>(listing.total - listing.oldest.size());
  try {
    send_now(answer, channel::sealed_memory("viaduct-requests", to_json(listing)));
  } catch (const std::system_error& error) {
    log_.error("requests cannot be listed", {{"error", error.what()}});
  }
}

void Control::remove_worker(const Message& message) {
  known_.erase(message.serial);
  // Judged behind the last thread: what each has to say about it is posted before that.
  auto holder = std::shared_ptr<void>(nullptr, [this, message](void*) {
    if (stopped_) return;  // what was still posted is being destroyed
    threads_.front()->reactor().post([this, message] { judge(message.app, message.serial); });
  });
  on_every_thread(
      [message, holder](Thread& t) { t.app(message.app).remove(message.serial, message.status); });
}

void Control::crashed(const WorkerInfo& info, std::vector<Suspect> suspects) {
  threads_.front()->reactor().post(
      [this, app = info.app, serial = info.serial, suspects = std::move(suspects)] {
        guards_[app].died(serial, suspects, threads_.front()->reactor().now());
      });
}

void Control::judge(std::uint32_t app, std::uint64_t worker) {
  open_routes();
  const auto closing = guards_[app].judge(worker, threads_.front()->reactor().now());
  if (closing) close_route(app, *closing);
}

void Control::cleared(std::uint32_t app, std::uint64_t worker, std::string route) {
  threads_.front()->reactor().post(
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
