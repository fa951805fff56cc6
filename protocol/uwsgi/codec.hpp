#pragma once

#include <cstdint>
#include <string>

#include "protocol/one_request_codec.hpp"
#include "protocol/variables.hpp"

namespace viaduct::protocol::uwsgi {

/// The uwsgi protocol, server side: a packet header of modifier1, the block's size (16 bits,
/// little-endian) and modifier2; the block of variables, each a name and a value behind its length
/// (16 bits, little-endian); the body, as long as CONTENT_LENGTH says. Responses are HTTP/1
/// responses with a status line, which every front server understands.
///
///     packet header ---> [name length, name, value length, value]* ---> body, see OneRequestCodec
///
/// Only modifier1 0, a request, is served: the others evaluate code or address uWSGI itself.
/// modifier2 is ignored. A block over a limit is a `refused` event; one that its lengths do not
/// fill exactly breaks the connection.
class ServerCodec final : public OneRequestCodec {
 public:
  explicit ServerCodec(const Limits& limits);

 private:
  enum class State : std::uint8_t { packet_header, name_length, name, value_length, value };

  void take_head(std::string_view& text) override;
  [[nodiscard]] std::size_t head_memory() const override;
  void take_packet_header();
  void take_name_length();
  void take_value_length();
  void take_value();

  // Goes on to a part of that size, if the block has room for it.
  void expect(State state, std::uint32_t size);
  // The number in the two bytes at `at` of part_.
  [[nodiscard]] std::uint32_t number(std::size_t at) const;
  void finish_head();

  const Limits limits_;
  Variables variables_;
  State state_ = State::packet_header;
  std::uint32_t wanted_;    // bytes of the part that state_ waits for
  std::uint32_t left_ = 0;  // bytes of the block behind that part
  std::string part_;
  std::string name_;
  RequestHead head_;
};

}  // namespace viaduct::protocol::uwsgi
