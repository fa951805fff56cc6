// The test application on the SDK: see README.md beside this file.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <openssl/evp.h>
#include <viaduct/viaduct.hpp>

namespace {

using viaduct::Request;
using viaduct::Response;

constexpr std::size_t kBlock = 65536;

const std::string& block() {
  static const std::string bytes = [] {
    std::string made(kBlock, '\0');
    for (std::size_t i = 0; i < kBlock; ++i) made[i] = static_cast<char>((i * 31 + (i >> 8)) & 255);
    return made;
  }();
  return bytes;
}

std::uint64_t number(Request& request, std::string_view name) {
  const auto text = request.query().get(name);
  return text ? std::strtoull(std::string(*text).c_str(), nullptr, 10) : 0;
}

std::string text(Request& request, std::string_view name) {
  return std::string(request.query().get(name).value_or(""));
}

/// Creates $MARKS/<mark><suffix>, complete as soon as it exists; false when it is there already.
bool mark(Request& request, std::string_view content, std::string_view suffix = "") {
  const char* directory = std::getenv("MARKS");
  const std::string path = std::string(directory ? directory : "/tmp") + '/' +
                           text(request, "mark") + std::string(suffix);
  const std::string unfinished =
      path + '.' + std::to_string(::getpid()) + '.' + std::to_string(::gettid());
  std::FILE* file = std::fopen(unfinished.c_str(), "w");
  if (!file) return false;
  std::fwrite(content.data(), 1, content.size(), file);
  const bool made = std::fclose(file) == 0 && ::link(unfinished.c_str(), path.c_str()) == 0;
  ::unlink(unfinished.c_str());
  return made;
}

class Sha256 {
 public:
  Sha256() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(std::string_view bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
    length_ += bytes.size();
  }
  /// "LENGTH SHA256\n"
  std::string report() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), sum.data(), &size);
    std::string out = std::to_string(length_) + ' ';
    for (unsigned i = 0; i < size; ++i) {
      out += "0123456789abcdef"[sum[i] >> 4];
      out += "0123456789abcdef"[sum[i] & 15];
    }
    return out + '\n';
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free};
  std::uint64_t length_ = 0;
};

std::string digest_of(viaduct::Body& body) {
  Sha256 sum;
  std::array<char, 16384> buffer;
  while (const auto got = body.read(std::span<char>(buffer))) sum.add({buffer.data(), got});
  return sum.report();
}

void pattern(Response& response, std::uint64_t bytes) {
  for (; bytes > 0; bytes -= std::min<std::uint64_t>(bytes, kBlock)) {
    response.write(std::string_view(block()).substr(0, bytes));
  }
}

void env(Request& request, Response& response) {
  constexpr std::array names{
      "GATEWAY_INTERFACE", "SERVER_SOFTWARE",     "SERVER_PROTOCOL", "SERVER_NAME",
      "SERVER_ADDR",       "SERVER_PORT",         "REMOTE_ADDR",     "REMOTE_PORT",
      "REMOTE_USER",       "REQUEST_METHOD",      "REQUEST_SCHEME",  "REQUEST_URI",
      "DOCUMENT_URI",      "DOCUMENT_ROOT",       "SCRIPT_NAME",     "PATH_INFO",
      "QUERY_STRING",      "CONTENT_TYPE",        "CONTENT_LENGTH",  "HTTPS",
      "HTTP_HOST",         "HTTP_COOKIE",         "HTTP_PROXY",      "HTTP_X_TWO",
      "HTTP_X_SECRET",     "VIADUCT_DEADLINE_MS", "VIADUCT_TRUST",   "HTTP_TRANSFER_ENCODING"};
  const auto encode = [](std::string_view value) {
    std::string out;
    for (const unsigned char c : value) {
      if (c > ' ' && c < 0x7f && c != '%') {
        out += static_cast<char>(c);
      } else {
        out += '%';
        out += "0123456789ABCDEF"[c >> 4];
        out += "0123456789ABCDEF"[c & 15];
      }
    }
    return out;
  };
  std::string out;
  for (const char* name : names) {
    if (const auto value = request.env(name))
      out += std::string(name) + '=' + encode(*value) + '\n';
  }
  for (const auto& [name, value] : request.headers().items()) {
    out += "header:" + name + '=' + encode(value) + '\n';
  }
  out += "path=" + encode(request.path()) + '\n';
  out += "raw_path=" + encode(request.raw_path()) + '\n';
  out += "target=" + encode(request.target()) + '\n';
  out += "script_name=" + encode(request.script_name()) + '\n';
  response.send(out);
}

void generate(Request& request, Response& response) {
  const auto bytes = number(request, "bytes");
  response.type("application/octet-stream");
  response.headers().set("X-Worker", std::to_string(::getpid()));
  if (text(request, "length") != "0")
    response.headers().set("Content-Length", std::to_string(bytes));
  if (request.method() == "HEAD") return;
  pattern(response, bytes);
}

void large_head(Request& request, Response& response) {
  response.headers().set("X-Large", std::string(number(request, "bytes"), 'x'));
  response.send("large\n");
}

void status(Request& request, Response& response) {
  const int code = static_cast<int>(number(request, "code"));
  response.status(code).headers().set("X-Test", "yes");
  if (code != 204 && code != 304) response.send("body\n");
}

void cookies(Request&, Response& response) {
  response.headers().add("Set-Cookie", "a=1").add("Set-Cookie", "b=2");
  response.send("set\n");
}

void diagnostics(Request& request, Response& response) {
  request.log(viaduct::Level::warn, text(request, "text"), " of the request");
  std::fprintf(stderr, "%s of the process\n", text(request, "text").c_str());
  response.send("reported\n");
}

void endless(Request& request, Response& response) {
  try {
    for (;;) response.write(block());
  } catch (const viaduct::client_gone&) {
    mark(request, "write failed\n");
    throw;
  }
}

void wait_for_stop(Request& request, Response& response) {
  mark(request, "waiting\n");
  while (!request.stop().stop_requested()) viaduct::sleep_for(std::chrono::milliseconds(5));
  mark(request, "stopped\n", ".stopped");
  response.send("stopped\n");
}

// So many bytes of an answer that `length` may announce as longer.
void begin_answer(Request& request, Response& response) {
  if (number(request, "length") > 0)
    response.headers().set("Content-Length", text(request, "length"));
  pattern(response, number(request, "bytes"));
}

[[noreturn]] void crash(Request& request, Response& response) {
  if (number(request, "bytes") > 0) {
    begin_answer(request, response);
    response.flush();
  }
  std::abort();
}

[[noreturn]] void throw_in_answer(Request& request, Response& response) {
  begin_answer(request, response);
  throw std::runtime_error("thrown on purpose");
}

[[noreturn]] void crash_null(Request&, Response&) {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
  std::abort();
}

[[noreturn]] void complain() {
  throw std::runtime_error("thrown where nobody may");
}

[[noreturn]] void crash_uncaught(Request&, Response&) noexcept {
  complain();
}

__attribute__((noinline)) int recurse(int depth) {
  volatile char room[256];
  room[0] = static_cast<char>(depth);
  const int deeper = depth < 0 ? 0 : recurse(depth + 1);
  return deeper + room[0];
}

void crash_overflow(Request&, Response& response) {
  response.send(std::to_string(recurse(0)));
}

void once(Request& request, Response& response) {
  if (mark(request, "crashed once\n")) std::abort();
  response.send(std::to_string(::getpid()) + '\n');
}

[[noreturn]] void hang(Request& request, Response&) {
  mark(request, "hanging\n");
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

void stall(Request& request, Response& response) {
  pattern(response, number(request, "bytes"));
  response.flush();
  while (!request.stop().stop_requested()) viaduct::sleep_for(std::chrono::milliseconds(5));
}

}  // namespace

int main(int argc, char** argv) {
  viaduct::App app;
  app.route("GET,HEAD", "/hello", [](Request&, Response& response) { response.send("hello\n"); });
  app.route("GET,HEAD,POST", "/env", env);
  app.route("GET,HEAD", "/env/{rest:path}", env);
  app.get("/large-head", large_head);
  app.route("POST,PUT", "/digest", [](Request& request, Response& response) {
    response.send(digest_of(request.body()));
    if (!text(request, "mark").empty()) mark(request, "ran\n");
  });
  app.route("GET,HEAD", "/generate", generate);
  app.route("GET,HEAD,POST", "/status", status);
  app.get("/cookies", cookies);
  app.get("/redirect", [](Request&, Response& response) {
    response.headers().set("Location", "http://viaduct.test/hello");
  });
  app.route("GET,HEAD", "/file", [](Request& request, Response& response) {
    if (const std::string date = text(request, "date"); !date.empty())
      response.headers().set("Date", date);
    response.send_file(std::string(request.query().get("path").value()));
  });
  app.get("/stderr", diagnostics);
  app.route("GET,POST", "/pid",
            [](Request&, Response& response) { response.send(std::to_string(::getpid()) + '\n'); });
  app.get("/setting", [](Request& request, Response& response) {
    const char* value = std::getenv(text(request, "name").c_str());
    response.send(std::string(value ? value : "") + '\n');
  });
  app.get("/sleep", [](Request& request, Response& response) {
    viaduct::sleep_for(std::chrono::milliseconds(number(request, "ms")));
    response.send("slept\n");
  });
  app.get("/endless", endless);
  app.get("/wait", wait_for_stop);
  app.route("GET,POST", "/crash", crash);
  app.post("/crash/null", crash_null);
  app.post("/crash/uncaught", crash_uncaught);
  app.post("/crash/overflow", crash_overflow);
  app.route("GET,POST,PUT", "/once", once);
  app.get("/hang", hang);
  app.get("/stall", stall);
  app.get("/throw", throw_in_answer);
  app.get("/short", begin_answer);
  app.route("GET,POST", "/early", [](Request&, Response& response) { response.send("early\n"); });
  app.post("/duplex", [](Request& request, Response& response) {
    pattern(response, number(request, "bytes"));
    response.write(digest_of(request.body()));
  });
  if (std::getenv("FAIL_ALL") != nullptr) {
    app.use([](Request&, Response&, const viaduct::Handler&) {
      throw std::runtime_error("this version is broken");
    });
  }
  return viaduct::run(argc, argv, app);
}
