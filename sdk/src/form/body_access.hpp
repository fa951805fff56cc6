#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string_view>

#include <viaduct/form.hpp>

#include "sdk/src/channel.hpp"
#include "sdk/src/form/form_reader.hpp"
#include "sdk/src/form/part_reader.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The three ways to a request's body, of which a handler may use one: by itself, as a form, or
/// part by part. Whoever mixes them gets std::logic_error. Reading decides, not asking for the Body
/// or its length.
class BodyAccess final : public BodySource {
 public:
  explicit BodyAccess(BodySource& source) : source_(source) {}

  [[nodiscard]] Body& body();
  /// Read once; what that threw is thrown again.
  const Form& form(std::string_view content_type, const FormLimits& limits);
  std::optional<Part> next_part(std::string_view content_type, const FormLimits& limits);

  /// The handler has returned: removes its temporary files. May wait as a handler does.
  void release() noexcept;
  /// Ready for another request. Never waits.
  void reset() noexcept;

  // BodySource, behind body()
  [[nodiscard]] std::optional<std::uint64_t> length() const override { return source_.length(); }
  std::size_t read(std::span<std::byte> into) override;

 private:
  enum class Use : std::uint8_t { none, body, form, parts };

  struct Parts {
    Parts(BodySource& source, std::string_view boundary, const FormLimits& limits)
        : reader(source, boundary, limits) {}
    PartReader reader;
    Body body{reader};
  };

  void use_for(Use use);

  BodySource& source_;
  Body body_{*this};
  Use use_ = Use::none;
  std::unique_ptr<SpooledForm> form_;
  std::exception_ptr form_failure_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
