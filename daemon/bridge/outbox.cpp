#include "daemon/bridge/outbox.hpp"

#include <system_error>

#include "daemon/channel/message_pipe.hpp"

namespace viaduct::daemon::bridge {

Outbox::Outbox(Reactor& reactor, int pipe) : reactor_(reactor), pipe_(reactor.executor(), pipe) {}

void Outbox::send(const channel::Message& message) {
  waiting_.push_back(message);
  if (!waits_) flush();
}

void Outbox::flush() {
  while (!waiting_.empty()) {
    const auto error = channel::write_message(pipe_.native_handle(), waiting_.front());
    if (error == std::errc::resource_unavailable_try_again) break;
    // The master is gone: the end of its socket says so.
    if (error) return waiting_.clear();
    waiting_.pop_front();
  }
  if (waiting_.empty() || waits_) return;
  waits_ = true;
  pipe_.async_wait(Reactor::Descriptor::wait_write, [this](boost::system::error_code error) {
    waits_ = false;
    if (error) return;
    Reactor::Event event(reactor_);
    flush();
  });
}

}  // namespace viaduct::daemon::bridge
