#include "sdk/src/form/body_access.hpp"

#include <stdexcept>
#include <string>

#include <viaduct/wait.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

void BodyAccess::use_for(Use use) {
  static constexpr const char* kNames[] = {"", "body()", "form()", "next_part()"};
  if (use_ == Use::none) use_ = use;
  if (use_ == use) return;
  throw std::logic_error(std::string("the body of this request is read by ") +
                         kNames[static_cast<int>(use_)] + ", it cannot be read by " +
                         kNames[static_cast<int>(use)] + " as well");
}

Body& BodyAccess::body() {
  if (use_ == Use::form || use_ == Use::parts) use_for(Use::body);
  return body_;
}

std::size_t BodyAccess::read(std::span<std::byte> into) {
  use_for(Use::body);
  return source_.read(into);
}

const Form& BodyAccess::form(std::string_view content_type, const FormLimits& limits) {
  use_for(Use::form);
  if (form_failure_) std::rethrow_exception(form_failure_);
  if (form_) return form_->form;
  try {
    form_ = read_form(source_, content_type, limits);
  } catch (...) {
    form_failure_ = std::current_exception();
    throw;
  }
  return form_->form;
}

std::optional<Part> BodyAccess::next_part(std::string_view content_type, const FormLimits& limits) {
  use_for(Use::parts);
  if (!parts_) {
    parts_ = std::make_unique<Parts>(source_, multipart_boundary(content_type), limits);
  }
  auto head = parts_->reader.next();
  if (!head) return std::nullopt;
  return Part{.name = std::move(head->disposition.name),
              .filename = std::move(head->disposition.filename),
              .type = std::move(head->disposition.type),
              .headers = std::move(head->headers),
              .body = &parts_->body};
}

void BodyAccess::release() noexcept {
  if (form_ && !form_->files.empty()) {
    try {
      blocking([this] { form_->files.clear(); });
    } catch (const std::exception&) {
      // No other thread for it; then they are removed below, by this one.
    }
  }
  reset();
}

void BodyAccess::reset() noexcept {
  use_ = Use::none;
  form_.reset();
  form_failure_ = nullptr;
  parts_.reset();
}

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
