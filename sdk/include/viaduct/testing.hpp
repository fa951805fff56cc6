#pragma once

/// @file
/// Sends requests to an App from within a test. A library of its own, so that applications do not
/// carry it: link `viaduct::testing` (CMake) or `pkg-config --libs viaduct-testing`.
///
///     viaduct::App app;
///     add_routes(app);
///     viaduct::testing::Client client(app);
///     const auto reply = client.post("/notes", "title=milk");
///     EXPECT_EQ(reply.status, 303);

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <viaduct/app.hpp>
#include <viaduct/fields.hpp>

namespace viaduct {
inline namespace v1 {
namespace testing {

/// The answer to a request, as a front server would see it.
struct Reply {
  int status = 0;         ///< 0: the connection ended before the head of the response
  Fields headers = {};    ///< as the application sent them, Content-Length included
  std::string body = {};  ///< as far as it came
  /// What was logged by the handler, or by the library for this request, at level warn or error,
  /// without the request's id: one line each, ended by '\n'.
  std::string errors = {};
  /// The response is not complete: the application broke it off or never gave one, or the client
  /// left (disconnect_after). `body` is what had arrived by then.
  bool aborted = false;
};

/// How requests reach the application.
enum class Via : std::uint8_t {
  direct,   ///< the handler is called in the calling thread: no sockets, a stack to debug in
  fastcgi,  ///< the real codec and runtime, over a loopback socket; so for those that follow
  scgi,     ///< as nginx's scgi_pass does
  uwsgi,    ///< as nginx's uwsgi_pass does
  http,     ///< as a browser does
};

/// A multipart/form-data body (RFC 7578), as browsers make it of a form.
class Multipart {
 public:
  /// Adds a field that is no file. What is given is copied.
  Multipart& field(std::string_view name, std::string_view value);
  /// Adds a file with that content. `type` may be empty: no Content-Type in that part.
  Multipart& file(std::string_view name, std::string_view filename, std::string_view content,
                  std::string_view type = "application/octet-stream");

  /// The value for Content-Type, its boundary one that occurs in no part.
  [[nodiscard]] std::string type() const;
  /// The body that goes with it.
  [[nodiscard]] std::string body() const;

 private:
  struct Part {
    std::string head;
    std::string content;
  };
  [[nodiscard]] std::string boundary() const;

  std::vector<Part> parts_;
};

/// `pairs` as application/x-www-form-urlencoded text: for post(), or behind the '?' of a target.
[[nodiscard]] std::string urlencoded(
    std::initializer_list<std::pair<std::string_view, std::string_view>> pairs);

/// One user of an application: sends a request, waits for its answer, remembers cookies as a
/// browser does (RFC 6265 section 5): Path, Max-Age and Secure are kept to, for which localhost
/// counts as https; Domain, Expires, HttpOnly and SameSite are not looked at.
///
/// The first Client of an App starts it as run() would: on_startup is called and background tasks
/// run, once, however many Clients come, at once or one after the other. It ends with the App: its
/// destructor joins the tasks and calls on_shutdown. Options keep the value that their variable
/// has. Other than with Via::direct, handlers run under the model that App::model, or the
/// environment's VIADUCT_MODEL, names.
///
/// The App must outlive its Clients and not change while they exist; what its hooks refer to must
/// outlive the App. A Client is to be used by one
/// thread at a time; several may be used at once, but those of one App are made and destroyed one
/// after the other. Log lines go to App::log_sink as ever; without one, those in Reply::errors are
/// not written to standard error.
///
/// What a handler throws becomes the answer, with Via::direct as well. What on_thread_start throws
/// is thrown by the calls that send requests.
class Client {
 public:
  /// Starts `app` if this is its first Client. Throws what on_startup throws, std::logic_error for
  /// conflicting routes, and std::system_error when there is no loopback socket.
  explicit Client(App& app, Via via = Via::direct);
  /// `other` may only be destroyed or assigned to afterwards.
  Client(Client&& other) noexcept;
  /// As when made by moving; what this client was ends first.
  Client& operator=(Client&& other) noexcept;
  /// Waits for the handlers of this client's requests.
  ~Client();

  /// A header field of every following request, in place of one of that name. Host is "localhost"
  /// unless set. A Cookie field is sent in place of the cookies remembered, a Content-Length in
  /// place of the true one. Throws invalid_header.
  Client& header(std::string_view name, std::string_view value);

  /// A CGI variable of every following request (RFC 3875 section 4.1), as a front server would set
  /// it, in place of one of that name: SCRIPT_NAME mounts the application there, HTTPS=on makes the
  /// scheme https. HTTP has no variables: std::logic_error with Via::http.
  Client& env(std::string_view name, std::string_view value);

  /// Has the client leave during the next request, as soon as it has received the head and so many
  /// bytes of the body. Reply::body holds just these and Reply::aborted is set, whether or not
  /// bytes were missing. The handler has returned when the call of the request does.
  Client& disconnect_after(std::size_t response_bytes);

  /// How long to wait for a request's answer; 30 seconds unless set. Then std::runtime_error is
  /// thrown. Via::direct waits for as long as the handler takes.
  Client& timeout(std::chrono::milliseconds limit);

  /// Value of the cookie of that name, whatever its path; absent when there is none or it expired.
  [[nodiscard]] std::optional<std::string> cookie(std::string_view name) const;
  /// Forgets all cookies.
  Client& clear_cookies();

  /// Sends GET. For this and all that follow, `target` is the path with its query, percent-encoded;
  /// std::invalid_argument unless it begins with '/' or is "*". Redirects are not followed.
  Reply get(std::string_view target);
  /// Sends POST with that body and Content-Type; an empty `type` sends none.
  Reply post(std::string_view target, std::string_view body,
             std::string_view type = "application/x-www-form-urlencoded");
  /// Sends POST with that form, files included.
  Reply post(std::string_view target, const Multipart& form);
  /// Sends PUT, as post() does.
  Reply put(std::string_view target, std::string_view body, std::string_view type);
  /// Sends PATCH, as post() does.
  Reply patch(std::string_view target, std::string_view body, std::string_view type);
  /// Sends DELETE.
  Reply del(std::string_view target);
  /// Sends any other method, or any other header fields: `headers` replace those of the same name
  /// given to header().
  Reply request(std::string_view method, std::string_view target, std::string_view body = {},
                const Fields& headers = {});
  /// Sends the body in pieces, without Content-Length, as a front server passes on a chunked
  /// upload. Protocols that cannot do without send the sum: Via::scgi and Via::uwsgi.
  Reply request(std::string_view method, std::string_view target, std::vector<std::string> chunks);

 private:
  struct State;
  Reply typed(std::string_view method, std::string_view target, std::string_view body,
              std::string_view type);

  std::unique_ptr<State> state_;
};

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
