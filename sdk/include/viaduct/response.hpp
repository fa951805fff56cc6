#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <viaduct/cookie.hpp>
#include <viaduct/errors.hpp>
#include <viaduct/export.hpp>
#include <viaduct/fields.hpp>

namespace viaduct {
inline namespace v1 {

namespace detail {
class ResponseState;
struct ResponseAccess;
}  // namespace detail

class EventStream;

/// What becomes of files below a directory whose path there has a part that begins with a dot, such
/// as `.env` and `.git/config`. `.well-known/` (RFC 8615) at its beginning is not meant.
enum class DotFiles : std::uint8_t {
  hidden,  ///< they are 404
  served,  ///< like others
};

/// The answer to one request. Up to 16 KiB of body are held back until flush(), overflow, or the
/// handler's return; then the response has *started*: its head is out, and status and headers can
/// no longer change. A response that is complete while held goes out with Content-Length.
///
/// An answer that a handler leaves by an exception once it has started is broken off, so that web
/// servers break their client's connection. Without Content-Length they can tell over FastCGI
/// (Caddy 2.6 cannot) and where HTTP has chunks, which nginx asks for with `proxy_http_version 1.1`
/// only. Over SCGI, uwsgi and HTTP/1.0 on a Unix socket such an answer looks complete.
///
/// Bodies of answers to HEAD and of status 204, 205 and 304 are accepted and not sent. Owned by the
/// runtime, valid until the handler returns, to be used by the handler only.
class VIADUCT_API Response {
 public:
  /// Made by the runtime.
  explicit Response(detail::ResponseState& state) : state_(&state) {}
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;

  /// Whether the head is out.
  [[nodiscard]] bool started() const;

  /// 200 unless set; 302 when it was left and there is a Location field.
  [[nodiscard]] int status() const;
  /// From 200 to 999, else std::invalid_argument. std::logic_error once started.
  Response& status(int code);

  /// Sets Content-Type. Without one, a body is text/plain; charset=utf-8. Throws invalid_header;
  /// std::logic_error once started.
  Response& type(std::string_view media_type);

  /// Adds a Set-Cookie field. Throws invalid_header when a member cannot be sent;
  /// std::logic_error once started.
  Response& cookie(const Cookie& cookie);
  /// Makes the client forget the cookie of that name with path "/" and no domain. Throws like
  /// cookie().
  Response& clear_cookie(std::string_view name);

  /// The header fields as they are set.
  [[nodiscard]] const Fields& headers() const;
  /// The same, to be changed. std::logic_error once started. A Content-Length that is set here is
  /// kept to: writing beyond it throws. Less of it is answered 500 while nothing was sent; else
  /// what was sent is delivered, and the end is such that web servers break their client's
  /// connection: it sees that bytes are missing. Connection and other hop-by-hop fields are the
  /// front server's and are dropped, Transfer-Encoding throws invalid_header when the head goes
  /// out. So does a head that is larger than the window of a link (256 KiB, behind viaductd); front
  /// servers take less, viaductd 64 KiB.
  Fields& headers();

  /// Appends to the body, which is copied. Waits while the client takes nothing: about a window
  /// (256 KiB) is under way at most. Throws client_gone when nobody waits for the answer any more,
  /// and std::length_error beyond a declared Content-Length (then nothing of `bytes` is sent).
  void write(std::string_view bytes);
  /// The same of binary data.
  void write(std::span<const std::byte> bytes);

  /// Sends what is held, the head included. Waits and throws like write(); without effect once the
  /// answer is complete.
  void flush();

  /// Like write(); when nothing was written so far `whole` is the whole body and its length becomes
  /// Content-Length, unless one is set. Waits and throws like write().
  void send(std::string_view whole);

  /// Answers with a file: its media type goes by the extension of its name, Last-Modified and ETag
  /// by its time and size, each unless it is set. Last-Modified is never later than the answer,
  /// that is its Date, whatever the file says (RFC 9110 section 8.8.2.1). GET and HEAD are answered
  /// 304, 412, 206 (one range) or 416 where their conditions and Range ask for it (RFC 9110
  /// sections 13 and 14), as long as status() is 200. Reading and writing go piece by piece, as
  /// fast as the client takes it.
  ///
  /// Throws http_error 404 when there is no such file or it is no regular one, 403 when it may not
  /// be read, std::system_error when it cannot be read for another reason, std::logic_error when a
  /// body was written before. A file that becomes shorter meanwhile breaks the response.
  ///
  /// Where the configuration says so (`send_file` of the app, VIADUCT_SEND_FILE, --send-file), the
  /// front server is told to send the file instead: by its absolute path, percent-encoded, in the
  /// field X-Accel-Redirect or X-Sendfile. It then sees to ranges and conditions itself.
  /// Not so for a request with VIADUCT_SEND_FILE=off, as viaductd says of one that came by a
  /// listener with `send_file: false`, HTTP for example: the worker reads the file.
  ///
  /// With transform() the file is sent whole and without ETag.
  void send_file(const std::filesystem::path& path);

  /// The same for a path that comes from outside, such as a capture. What lies outside of `root`
  /// does not exist: absolute paths, "..", NUL and symbolic links that lead out of it are 404. So
  /// are files that begin with a dot, unless `dot_files` says otherwise.
  /// Links below `root` are followed where they stay below it (and the kernel has openat2,
  /// Linux 5.6).
  ///
  /// With a `download_name`, in UTF-8, the client saves it under that name (Content-Disposition,
  /// RFC 6266) instead of showing it.
  void send_file(const std::filesystem::path& root, std::string_view relative,
                 std::string_view download_name = {}, DotFiles dot_files = DotFiles::hidden);

  /// Answers with a Location field and no body. `location` is an absolute URI or a path; what no
  /// URI may hold, such as spaces and letters beyond ASCII, is percent-encoded. `status` is from
  /// 300 to 399, else std::invalid_argument; 303 has the client follow with GET. Throws
  /// invalid_header for a `location` with control characters, and for one that begins with two
  /// slashes or backslashes: it would lead to another host, `//evil.example`. std::logic_error once
  /// started.
  void redirect(std::string_view location, int status = 303);

  /// Has `hook` called just before the head goes out, while headers can still be changed; several
  /// are called in the order of registration. They stay when an exception turns the answer into
  /// that of an error, and are called again if the head was not out yet; but for a hook that threw
  /// itself, which is the handler's failure. A hook runs after the handler has returned, so that it
  /// refers to none of its variables. std::logic_error once started.
  void before_start(std::function<void(Response&)> hook);

  /// Passes the body through `filter` on its way out: it gets what was written, in pieces that may
  /// be empty, and returns what to send instead. The call with `last` is the only one for an answer
  /// that is complete while held, otherwise the last of several; it is missing when the handler
  /// fails. The first call comes before the head goes out, so that it may still change status and
  /// headers of the response; it may not write to it. What it throws is the handler's failure.
  ///
  /// A Content-Length that the handler declared still bounds what the handler writes; the client is
  /// told the length of what is sent, when that is known, else none. There is no call for 204, 205
  /// and 304, nor for an answer to HEAD that wrote nothing, and none for HEAD once started.
  ///
  /// Several nest like middleware: the one added last gets what the handler wrote, the first one
  /// has the last word. They may be added by hooks of before_start(). std::logic_error once
  /// started.
  void transform(std::function<std::string(std::string_view chunk, bool last)> filter);

  /// Body bytes sent so far, as far as they count for the client (not those of HEAD, 204, 205,
  /// 304), as transform() made them.
  [[nodiscard]] std::uint64_t bytes_sent() const;

  /// Authorizer role: has the front server add the variable NAME to the request (FastCGI section
  /// 6.3, the field Variable-NAME). Throws invalid_header; std::logic_error once started.
  void variable(std::string_view name, std::string_view value);

 private:
  friend struct detail::ResponseAccess;
  friend class EventStream;
  detail::ResponseState* state_;
};

}  // namespace v1
}  // namespace viaduct
