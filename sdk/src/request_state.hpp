#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <viaduct/request.hpp>

#include "protocol/message.hpp"
#include "sdk/src/channel.hpp"
#include "sdk/src/form/body_access.hpp"
#include "sdk/src/limited_source.hpp"
#include "sdk/src/path.hpp"
#include "sdk/src/request_ids.hpp"
#include "sdk/src/variables.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// What a Request shows. Derived parts are made when first asked for. Reused from request to
/// request, so that the usual one allocates nothing.
class RequestState {
 public:
  /// `ids` must outlive it. `data` is FCGI_DATA; null: there is none.
  RequestState(BodySource& body, RequestControl& control,
               const RequestIds& ids = RequestIds::usual(), BodySource* data = nullptr)
      : source_(body),
        body_(source_),
        data_(data != nullptr ? *data : no_data_),
        control_(control),
        ids_(ids) {}

  /// Takes the head over, leaving the memory of the one before in its place.
  void begin(protocol::RequestHead& head);
  /// The handler has returned: its temporary files go. May wait as the handler might.
  void release() noexcept { body_.release(); }
  /// Drops what belongs to the request; the memory is kept.
  void finish();
  /// Whether the path could be understood. To be called once before path().
  [[nodiscard]] bool derive_path();
  /// Of a target in absolute-form; empty otherwise.
  [[nodiscard]] std::string_view authority() const { return authority_; }

  [[nodiscard]] const protocol::RequestHead& head() const { return head_; }
  [[nodiscard]] const Variables& variables() const { return variables_; }
  [[nodiscard]] const RequestPath& path() const { return path_; }
  [[nodiscard]] RequestPath& path_to_change() { return path_; }
  /// Has the request be routed as if it had been sent with another method, which outlives it.
  void override_method(std::string_view method) { variables_.method = method; }
  [[nodiscard]] Body& body() { return body_.body(); }
  [[nodiscard]] Body& data() { return data_; }
  [[nodiscard]] const Form& form(const FormLimits& limits);
  [[nodiscard]] std::optional<Part> next_part(const FormLimits& limits);
  [[nodiscard]] const BodySource& source() const { return source_; }
  /// Has reading more than that throw http_error 413. Only ever lowers the limit.
  void limit_body(std::uint64_t bytes) { source_.limit(bytes); }
  [[nodiscard]] RequestControl& control() { return control_; }
  [[nodiscard]] std::optional<std::string_view> variable(std::string_view name) const;

  /// Made when first asked for; the only member that other threads may call during the request.
  [[nodiscard]] const std::string& id();
  /// The same without making one: "" when neither it was made nor the front server sent one.
  /// Async-signal-safe.
  [[nodiscard]] std::string_view known_id() const;
  [[nodiscard]] const Values& query();
  [[nodiscard]] const Fields& headers();
  [[nodiscard]] std::optional<std::string_view> cookie(std::string_view name) const;

  /// What the route captured; `names` outlives the request, `values` is filled by the router.
  std::vector<std::string>& capture_values() { return capture_values_; }
  void set_capture_names(const std::vector<std::string>* names) { capture_names_ = names; }
  [[nodiscard]] std::optional<std::string_view> capture(std::string_view name) const;

  std::shared_ptr<void>& local(TypeKey type);

  /// Has `task` called when the answer is complete or has broken off.
  void at_end(std::function<void()> task) { endings_.push_back(std::move(task)); }
  /// Calls them, the latest first. What one throws is logged: there is nobody to answer any more.
  void end();

 private:
  enum class IdState : std::uint8_t { none, being_made, made };
  struct NoData final : BodySource {
    [[nodiscard]] std::optional<std::uint64_t> length() const override { return 0; }
    std::size_t read(std::span<std::byte>) override { return 0; }
  };

  void take_absolute(std::string_view uri);

  protocol::RequestHead head_;
  Variables variables_;
  std::string_view authority_;
  std::string origin_form_;
  RequestPath path_;
  LimitedSource source_;
  BodyAccess body_;
  NoData no_data_;
  Body data_;
  RequestControl& control_;
  const RequestIds& ids_;
  std::atomic<IdState> id_state_ = IdState::none;
  std::string id_;
  std::optional<Values> query_;
  std::optional<Fields> headers_;
  const std::vector<std::string>* capture_names_ = nullptr;
  std::vector<std::string> capture_values_;
  std::vector<std::pair<TypeKey, std::shared_ptr<void>>> locals_;
  std::vector<std::function<void()>> endings_;
};

/// Lets the library's own middleware see more of a request than its users.
struct RequestAccess {
  static RequestState& state(const Request& request) { return *request.state_; }
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
