#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "protocol/fastcgi/client_codec.hpp"
#include "protocol/pairs.hpp"

namespace viaduct {
inline namespace v1 {
namespace detail {

/// Serves a CGI program's one request (RFC 3875): it is passed on as a FastCGI request over a pair
/// of sockets, one end of which is an ordinary connection of the engine's. So handlers see no
/// difference, and body and response stream.
///
/// The body is as long as CONTENT_LENGTH says; without it the body ends with the input where a
/// transfer coding was removed (RFC 3875 section 4.2), and otherwise there is none. The response
/// goes to descriptor 1, what the runtime says about the request to descriptor 2.
class CgiGateway {
 public:
  /// `variables` is what the environment holds. Throws std::system_error.
  explicit CgiGateway(const protocol::Pairs& variables);
  CgiGateway(const CgiGateway&) = delete;
  CgiGateway& operator=(const CgiGateway&) = delete;
  ~CgiGateway();

  /// The engine's end, a FastCGI connection; passes ownership, once.
  [[nodiscard]] int take_engine_end();

  /// Passes the request and its response on until that is complete, the web server has gone or the
  /// engine has closed its end; true in the first case. Blocks; in a thread of its own.
  bool run();
  /// Has run() return false: there is no engine that could answer. From another thread.
  void give_up() const;

 private:
  void read_input();
  void end_input();
  void send();
  void receive();
  void write_output();

  int engine_end_ = -1;
  int socket_ = -1;
  protocol::fastcgi::ClientCodec codec_;
  bool input_open_ = true;
  bool until_end_ = false;        // the body ends with the input
  std::uint64_t input_left_ = 0;  // else
  std::string output_;            // for descriptor 1
  bool ended_ = false;            // nothing more comes of the response
  bool failed_ = false;           // nor is it complete
  bool broken_ = false;           // one side is gone
};

/// The variables in this process's environment.
[[nodiscard]] protocol::Pairs cgi_variables();

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
