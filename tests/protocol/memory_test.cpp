// What codecs say of the memory that they hold is what they have from the heap. A program of its
// own, since it counts every allocation.

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <ostream>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "protocol/buffer.hpp"
#include "protocol/fastcgi/client_codec.hpp"
#include "protocol/fastcgi/flow_control.hpp"
#include "protocol/fastcgi/server_codec.hpp"
#include "protocol/http/codec.hpp"
#include "protocol/scgi/codec.hpp"
#include "protocol/uwsgi/codec.hpp"
#include "tests/support/scgi_bytes.hpp"
#include "tests/support/uwsgi_bytes.hpp"

namespace {

std::size_t live = 0;     // bytes allocated or mapped, and not freed
std::size_t highest = 0;  // of it, old and new memory counted while a block of the heap grows

void* note(void* memory, std::size_t size) {
  live += size;
  highest = std::max(highest, live);
  return memory;
}

}  // namespace

// The linker puts these in the place of the C library's (CMakeLists.txt), and asks for their names.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
void* __real_realloc(void* memory, std::size_t size);
void __real_free(void* memory);
void* __real_mmap(void* at, std::size_t size, int access, int flags, int file, off_t from);
void* __real_mremap(void* memory, std::size_t before, std::size_t size, int flags, ...);
int __real_munmap(void* memory, std::size_t size);

void* __wrap_realloc(void* memory, std::size_t size) {
  const std::size_t before = ::malloc_usable_size(memory);
  void* const larger = __real_realloc(memory, size);
  note(larger, ::malloc_usable_size(larger));
  live -= before;
  return larger;
}

void __wrap_free(void* memory) {
  live -= ::malloc_usable_size(memory);
  __real_free(memory);
}

void* __wrap_mmap(void* at, std::size_t size, int access, int flags, int file, off_t from) {
  return note(__real_mmap(at, size, access, flags, file, from), size);
}

void* __wrap_mremap(void* memory, std::size_t before, std::size_t size, int flags, ...) {
  return note(__real_mremap(memory, before, size, flags), size - before);
}

int __wrap_munmap(void* memory, std::size_t size) {
  live -= size;
  return __real_munmap(memory, size);
}
}
// NOLINTEND(bugprone-reserved-identifier)

void* operator new(std::size_t size) {
  void* const memory = __wrap_realloc(nullptr, size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  __wrap_free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  __wrap_free(memory);
}

namespace viaduct::protocol {
namespace {

// What the heap adds to round up.
constexpr std::size_t kUncounted = 8 * 1024;

void compare(std::size_t said, std::size_t held) {
  ASSERT_LE(said, held);
  ASSERT_LE(held, said + kUncounted);
}

struct Script {
  const char* name;
  std::function<std::unique_ptr<ServerCodec>()> make;
  std::function<std::string()> bytes;
  bool reusable = true;  // for another request
};

void PrintTo(const Script& script, std::ostream* to) {
  *to << script.name;
}

test::NameValues variables(std::size_t long_value) {
  return {{"REQUEST_METHOD", "POST"},
          {"HTTP_LONG", std::string(long_value, 'l')},
          {"HTTP_COOKIE", "a=1"},
          {"HTTP_COOKIE", "b=2"}};
}

test::NameValues many_variables() {
  test::NameValues many;
  for (int i = 0; i < 500; ++i) many.emplace_back("V" + std::to_string(i), "value");
  return many;
}

std::unique_ptr<ServerCodec> make_http() {
  return std::make_unique<http::ServerCodec>(http::ServerOptions{});
}

std::string http_requests() {
  const std::string fields = "Host: h\r\nX: " + std::string(30'000, 'x') + "\r\n";
  return "GET /a HTTP/1.1\r\n" + fields +
         "\r\n"
         "POST /b HTTP/1.1\r\n" +
         fields + "Content-Length: 5\r\n\r\nhelloGET /c HTTP/1.1\r\nHost: h\r\n\r\n";
}

std::string fastcgi_requests() {
  std::string bytes = test::get_values({{"FCGI_MAX_CONNS", ""}});
  // Many whose variables are incomplete at the same time, one after the other complete.
  for (unsigned id = 1; id <= 20; ++id) {
    bytes += test::begin_record(id);
    bytes += test::record(FCGI_PARAMS, id, test::pairs(variables(3000)));
  }
  for (unsigned id = 1; id <= 20; ++id) {
    bytes += test::record(FCGI_PARAMS, id, "") + test::stdin_record(id, "");
  }
  return bytes + test::request(1, many_variables(), "body");
}

class CodecMemory : public ::testing::TestWithParam<Script> {
 protected:
  // Answers each request as soon as its body has ended, unless it waits, and keeps its variables
  // as an owner does.
  void take_events() {
    for (Event event = codec->next(); event.kind != Event::Kind::none; event = codec->next()) {
      ASSERT_NE(event.kind, Event::Kind::refused);
      if (event.kind == Event::Kind::request) std::swap(owner.params, event.head->params);
      if (event.kind != Event::Kind::body_end) continue;
      ResponseHead head;
      head.fields.add("X-Long", std::string(10'000, 'r'));
      codec->head(event.id, head);
      codec->body(event.id, as_bytes(response));
      codec->end(event.id);
      codec->output().settle();
    }
  }

  void compare(std::size_t before) {
    const std::size_t said = codec->memory();
    protocol::compare(said + owner.params.memory(), live - before);
    most = std::max(most, said);
  }

  const std::string response = std::string(20'000, 'b');
  RequestHead owner;
  std::unique_ptr<ServerCodec> codec;
  std::size_t most = 0;
};

INSTANTIATE_TEST_SUITE_P(
    Server, CodecMemory,
    ::testing::Values(
        Script{"fastcgi",
               [] { return std::make_unique<fastcgi::ServerCodec>(fastcgi::ServerOptions{}); },
               fastcgi_requests},
        Script{"scgi", [] { return std::make_unique<scgi::ServerCodec>(Limits{}); },
               [] { return test::scgi_request(variables(40'000), "body"); }, false},
        Script{"scgi_many", [] { return std::make_unique<scgi::ServerCodec>(Limits{}); },
               [] { return test::scgi_request(many_variables()); }, false},
        Script{"uwsgi", [] { return std::make_unique<uwsgi::ServerCodec>(Limits{}); },
               [] { return test::uwsgi_request(variables(40'000), "body"); }, false},
        Script{"http", make_http, http_requests}),
    [](const auto& tested) { return tested.param.name; });

TEST_P(CodecMemory, IsWhatItHasFromTheHeap) {
  const std::string bytes = GetParam().bytes();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{4096}, bytes.size()}) {
    SCOPED_TRACE(piece);
    give_back(owner.params);
    codec = GetParam().make();
    const std::size_t before = live;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      Bytes rest = as_bytes(std::string_view(bytes).substr(at, piece));
      while (!rest.empty()) {
        const std::size_t taken = codec->feed(rest);
        rest = rest.subspan(taken);
        ASSERT_NO_FATAL_FAILURE(compare(before));
        ASSERT_NO_FATAL_FAILURE(take_events());
        ASSERT_NO_FATAL_FAILURE(compare(before));
      }
    }
    ASSERT_EQ(codec->error(), Errc::ok);
    codec->output().consume(codec->output().size());
    ASSERT_NO_FATAL_FAILURE(take_events());
    codec->output().consume(codec->output().size());
    if (GetParam().reusable) {
      ASSERT_TRUE(codec->idle());
      codec->release();
      EXPECT_EQ(codec->memory(), 0u);
      EXPECT_LE(live - before - owner.params.memory(), kUncounted);
    }
  }
  EXPECT_GE(most, response.size()) << "the script makes it hold something";
}

// Requests at random stages, as a front server might multiplex them. What the codec says is a sum
// that it keeps, since it is asked for after every read.
class RandomRequests {
 public:
  void step() {
    const auto id = static_cast<unsigned>(1 + random_() % kIds);
    Stage& stage = stages_[id];
    switch (stage) {
      case Stage::inactive:
        stage = Stage::params;  // unless it is refused
        feed(test::begin_record(id));
        break;
      case Stage::params:
        if (random_() % 3 > 0) {
          feed(test::record(
              FCGI_PARAMS, id,
              test::pair("N" + std::to_string(random_() % 50), std::string(random_() % 300, 'v'))));
        } else if (random_() % 8 == 0) {
          feed(test::record(FCGI_PARAMS, id, std::string(2, '\0')));  // refused
        } else if (random_() % 8 == 0) {
          feed(test::abort_record(id));
          stage = Stage::inactive;
        } else {
          feed_end(id);
        }
        break;
      case Stage::body:
        feed(test::stdin_record(id, random_() % 2 == 0 ? "some" : ""));
        break;
      case Stage::answering:
        if (random_() % 2 == 0) codec.head(static_cast<RequestId>(id), ResponseHead{});
        codec.end(static_cast<RequestId>(id), 0);
        stage = Stage::inactive;
        break;
    }
    if (codec.output().size() > 4096) codec.output().consume(codec.output().size());
  }

  void end_all() {
    for (unsigned id = 1; id <= kIds; ++id) {
      // Those that were refused with FCGI_OVERLOADED have ended already.
      if (stages_[id] == Stage::params) feed_end(id);
      if (stages_[id] == Stage::body) feed_end(id);
      codec.end(static_cast<RequestId>(id), 0);
      stages_[id] = Stage::inactive;
    }
    codec.output().consume(codec.output().size());
  }

  fastcgi::ServerCodec codec{{.limits = {.requests = kIds / 2}}};
  RequestHead owner;
  std::size_t refused = 0;

 private:
  enum class Stage : std::uint8_t { inactive, params, body, answering };
  static constexpr unsigned kIds = 200;

  void feed_end(unsigned id) {
    const bool params = stages_[id] == Stage::params;
    feed(params ? test::record(FCGI_PARAMS, id, "") : test::stdin_record(id, ""));
    if (params && stages_[id] == Stage::params) stages_[id] = Stage::body;
  }
  void feed(const std::string& record) {
    Bytes rest = as_bytes(record);
    while (!rest.empty()) {
      rest = rest.subspan(codec.feed(rest));
      for (Event event = codec.next(); event.kind != Event::Kind::none; event = codec.next()) {
        take(event);
      }
    }
  }
  void take(const Event& event) {
    if (event.kind == Event::Kind::request) std::swap(owner.params, event.head->params);
    if (event.kind == Event::Kind::refused) ++refused;
    if (event.kind == Event::Kind::body_end || event.kind == Event::Kind::refused ||
        event.kind == Event::Kind::abort) {
      stages_[event.id] = Stage::answering;
    }
  }

  std::mt19937 random_{29};
  std::array<Stage, kIds + 1> stages_{};
};

TEST(CodecMemory, OfManyRequestsIsWhatTheyHaveFromTheHeap) {
  RandomRequests requests;
  const std::size_t before = live;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 5000; ++i) {
      requests.step();
      ASSERT_EQ(requests.codec.error(), Errc::ok);
      const std::size_t said = requests.codec.memory() + requests.owner.params.memory();
      ASSERT_LE(said, live - before);
      // What the heap adds to round up, for each of some hundred blocks.
      ASSERT_LE(live - before, said + 3 * kUncounted);
    }
    EXPECT_GT(requests.codec.memory(), 4 * kUncounted) << "they hold something";
    requests.end_all();
    requests.codec.release();
    EXPECT_EQ(requests.codec.memory(), 0u);
  }
  EXPECT_GT(requests.refused, 100u);
}

TEST(CodecMemory, ReleaseBetweenTwoRequestsChangesNothing) {
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  http::ServerCodec codec(http::ServerOptions{});
  for (int i = 0; i < 2; ++i) {
    const Bytes bytes = as_bytes(request);
    EXPECT_EQ(codec.feed(bytes), bytes.size());
    codec.release();  // in the middle of one, too
    const Event event = codec.next();
    ASSERT_EQ(event.kind, Event::Kind::request);
    EXPECT_EQ(event.head->params.get("HTTP_HOST"), "h");
    EXPECT_EQ(codec.next().kind, Event::Kind::body_end);
    codec.head(1, ResponseHead{});
    codec.end(1, 0);
    codec.release();
  }
}

// However large it is: no copy beside it.
TEST(BufferMemory, GrowsByNoMoreThanWhatIsAdded) {
#ifdef VIADUCT_SANITIZED
  GTEST_SKIP() << "all of it stays in the heap";
#endif
  Buffer buffer;
  const std::size_t before = live;
  for (int i = 0; i < 100; ++i) {
    highest = live;
    buffer.extend(Buffer::kMapped / 2);
    ASSERT_NO_FATAL_FAILURE(compare(buffer.capacity(), live - before));
    ASSERT_LE(highest - before, buffer.capacity() + Buffer::kMapped);
  }
  buffer.release();
  EXPECT_LE(live - before, kUncounted);
}

TEST(ClientCodecMemory, IsWhatItHasFromTheHeap) {
  Pairs params;
  params.add("HTTP_LONG", std::string(50'000, 'l'));
  const std::string trace(20'000, 't');
  const std::string answer =
      test::record(FCGI_GET_VALUES_RESULT, 0,
                   test::pair("VIADUCT_WINDOW", std::to_string(fastcgi::kMinWindow))) +
      test::record(fastcgi::kTrace, 1, trace);
  fastcgi::ClientCodec codec;
  const std::size_t before = live;
  codec.get_values(fastcgi::kMinWindow);
  codec.begin(1, Role::responder, true);
  codec.params(1, params);
  compare(codec.memory(), live - before);
  EXPECT_GE(codec.memory(), 50'000u);
  for (const char c : answer) {
    const Bytes byte = as_bytes(std::string_view(&c, 1));
    while (codec.feed(byte) == 0) ASSERT_NE(codec.next().kind, ClientEvent::Kind::none);
    ASSERT_NO_FATAL_FAILURE(compare(codec.memory(), live - before));
  }
  codec.output().consume(codec.output().size());
  codec.output().release();
  compare(codec.memory(), live - before);
  EXPECT_GE(codec.memory(), trace.size());
}

}  // namespace
}  // namespace viaduct::protocol
