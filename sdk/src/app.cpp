#include <algorithm>
#include <stdexcept>

#include <viaduct/app.hpp>

#include "sdk/src/app_settings.hpp"
#include "sdk/src/guard.hpp"

namespace viaduct {
inline namespace v1 {
namespace {

bool is_option_name(std::string_view name) {
  return !name.empty() && name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

namespace detail {

void call_hook(const char* name, const std::function<void()>& hook) {
  guard(hook, [name](const std::exception_ptr& error) {
    throw std::runtime_error(std::string(name) + ": " + describe_exception(error));
  });
}

}  // namespace detail

App::App() : settings_(std::make_unique<detail::AppSettings>()) {}
App::~App() {
  // Ends with hooks of the app, which see it whole.
  settings_->test_run.reset();
}

App& App::model(Model model) {
  settings_->model = model;
  return *this;
}

App& App::option(std::string_view name, std::string_view help, std::string& value) {
  if (!is_option_name(name)) {
    throw std::invalid_argument("option \"" + std::string(name) + "\": letters, digits and '-'");
  }
  settings_->options.push_back({std::string(name), std::string(help), &value});
  return *this;
}

App& App::background(std::function<void(std::stop_token)> task) {
  settings_->background.push_back(std::move(task));
  return *this;
}

App& App::on_thread_start(std::function<void()> hook) {
  settings_->on_thread_start.push_back(std::move(hook));
  return *this;
}

App& App::on_startup(std::function<void()> hook) {
  settings_->on_startup.push_back(std::move(hook));
  return *this;
}

App& App::on_shutdown(std::function<void()> hook) {
  settings_->on_shutdown.push_back(std::move(hook));
  return *this;
}

App& App::readiness(std::function<bool()> ready) {
  settings_->readiness = std::move(ready);
  return *this;
}

App& App::on_error(std::function<void(Request&, Response&, std::exception_ptr)> handler) {
  settings_->on_error = std::move(handler);
  return *this;
}

App& App::crash_reports(bool wanted) {
  settings_->crash_reports = wanted;
  return *this;
}

App& App::log_sink(std::function<void(Level, std::string_view)> sink) {
  settings_->log_sink = std::move(sink);
  return *this;
}

}  // namespace v1
}  // namespace viaduct
