#pragma once

#include <cstdint>
#include <string>

#include "protocol/one_request_codec.hpp"
#include "protocol/variables.hpp"

namespace viaduct::protocol::scgi {

/// SCGI (revision of 2008-06-23), server side. Responses are CGI responses with a `Status:` field.
///
///     digits ':'      block       ','
///     size ------> variables ----> comma ------> body, see OneRequestCodec
///
/// A header block over a limit is a `refused` event; one that is malformed breaks the connection.
class ServerCodec final : public OneRequestCodec {
 public:
  explicit ServerCodec(const Limits& limits);

 private:
  enum class State : std::uint8_t { size, variables, comma };

  void take_head(std::string_view& text) override;
  [[nodiscard]] std::size_t head_memory() const override;
  // Each takes bytes from the front of `text`.
  void take_size(std::string_view& text);
  void take_variables(std::string_view& text);
  void take_comma(std::string_view& text);

  bool take_part(std::string_view& block, std::string& part, std::uint64_t limit, Errc over);
  void take_variable();
  void finish_head();

  const Limits limits_;
  Variables variables_;
  State state_ = State::size;
  std::uint64_t left_ = 0;  // bytes of the block; while in size: its value
  std::uint8_t digits_ = 0;
  bool in_value_ = false;
  bool any_variable_ = false;
  bool marked_ = false;  // SCGI=1 has come
  std::string name_;
  std::string value_;
  RequestHead head_;
};

}  // namespace viaduct::protocol::scgi
