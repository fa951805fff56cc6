// Bodies that are made while they are sent. Byte i of every body is 'a' + i mod 26, so that whoever
// receives one can check it.
#include <algorithm>
#include <cstdint>
#include <string>

#include <viaduct/viaduct.hpp>

namespace {

constexpr std::size_t kPeriod = 26;
constexpr std::size_t kChunk = kPeriod * 2520;  // just under 64 KiB

std::string make_chunk() {
  std::string chunk(kChunk, '\0');
  for (std::size_t i = 0; i < kChunk; ++i) chunk[i] = static_cast<char>('a' + i % kPeriod);
  return chunk;
}

void bytes(viaduct::Request& req, viaduct::Response& res) {
  const auto size = req.arg<std::int64_t>("n");
  if (size < 0) throw viaduct::http_error(400, "a body cannot be shorter than empty");
  const std::string chunk = make_chunk();
  res.type("application/octet-stream").headers().set("Content-Length", std::to_string(size));
  for (auto left = static_cast<std::uint64_t>(size); left > 0;) {
    const std::size_t step = static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunk));
    res.write(std::string_view(chunk).substr(0, step));
    left -= step;
  }
}

// Ends when the client leaves: write() throws viaduct::client_gone then.
void endless(viaduct::Request&, viaduct::Response& res) {
  const std::string chunk = make_chunk();
  res.type("application/octet-stream");
  while (true) res.write(chunk);
}

}  // namespace

int main(int argc, char** argv) {
  viaduct::App app;
  app.get("/bytes/{n:int}", bytes);
  app.get("/endless", endless);
  return viaduct::run(argc, argv, app);
}
