#include "sdk/src/runtime/fiber.hpp"

#include <cxxabi.h>

#include <cstring>
#include <utility>

#include <boost/context/preallocated.hpp>

#include "sdk/src/runtime/fiber_sanitizers.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

Fiber::Fiber(std::size_t stack_size) : allocator_(stack_size), stack_(allocator_.allocate()) {
  inside_ = boost::context::fiber(std::allocator_arg,
                                  boost::context::preallocated(stack_.sp, stack_.size, stack_),
                                  allocator_, [this](boost::context::fiber&& outside) {
                                    outside_ = std::move(outside);
                                    main();
                                    return std::move(outside_);
                                  });
  inside_thread_ = sanitizer::create_thread();
}

Fiber::~Fiber() {
  quit_ = true;
  switch_in();
  sanitizer::destroy_thread(inside_thread_);
  sanitizer::forget_stack(static_cast<std::byte*>(stack_.sp) - stack_.size, stack_.size);
}

void Fiber::main() {
  sanitizer::finish_switch(nullptr, &outside_bottom_, &outside_size_);
  while (!quit_) {
    task_();
    task_ = nullptr;
    suspend();
  }
  sanitizer::leave_for_good(outside_bottom_, outside_size_);
}

void Fiber::start(std::function<void()> task) {
  task_ = std::move(task);
  switch_in();
}

void Fiber::resume() {
  switch_in();
}

void Fiber::switch_in() {
  swap_exceptions(exceptions_);
  outside_thread_ = sanitizer::current_thread();
  sanitizer::start_switch(&outside_fake_stack_, static_cast<std::byte*>(stack_.sp) - stack_.size,
                          stack_.size);
  sanitizer::switch_thread(inside_thread_);
  inside_ = std::move(inside_).resume();
  // The functions that return for the last time have to be seen to do so on their own stack.
  if (quit_) sanitizer::switch_thread(outside_thread_);
  sanitizer::finish_switch(outside_fake_stack_, nullptr, nullptr);
  swap_exceptions(exceptions_);
}

void Fiber::visit(const std::function<void()>& visitor) {
  visitor_ = &visitor;
  switch_in();
}

void Fiber::suspend() {
  switch_out();
  while (visitor_ != nullptr) {
    (*visitor_)();
    visitor_ = nullptr;
    switch_out();
  }
}

void Fiber::switch_out() {
  sanitizer::start_switch(&inside_fake_stack_, outside_bottom_, outside_size_);
  sanitizer::switch_thread(outside_thread_);
  outside_ = std::move(outside_).resume();
  sanitizer::finish_switch(inside_fake_stack_, &outside_bottom_, &outside_size_);
}

void Fiber::swap_exceptions(ExceptionState& other) {
  void* const globals = abi::__cxa_get_globals();
  ExceptionState current;
  std::memcpy(&current, globals, sizeof current);
  std::memcpy(globals, &other, sizeof other);
  other = current;
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
