// What handlers are doing, for a peer that asks.

#include "sdk/src/runtime/engine.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

void Engine::on_trace(const LinkPtr& link, protocol::RequestId id) {
  Exchange* const exchange = link->exchanges.find(id);
  if (exchange == nullptr || link->fastcgi == nullptr) return;
  if (exchange->phase == Exchange::Phase::queued) {
    return link->fastcgi->trace(id, "(waiting for a handler that is free)\n");
  }
  // The handler cannot end meanwhile: that takes the mutex.
  if (!tracer_.add({link, id, exchange->serial, executor_->trace(*exchange)})) {
    link->fastcgi->trace(id, {});
  }
}

void Engine::traced(Tracer::Job job, const std::string& text) {
  const Lock lock(mutex_);
  const LinkPtr link = std::move(job.link);
  const Exchange* const exchange = link->exchanges.find(job.id);
  if (exchange == nullptr || exchange->serial != job.serial) return;
  link->fastcgi->trace(job.id, text);
  send(link);
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
