#include "tests/fuzz/pieces.hpp"

#include <algorithm>
#include <charconv>
#include <random>
#include <utility>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace viaduct::test {
namespace {

constexpr std::size_t kMaxContent = 0xffff;

std::size_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

char low(std::size_t number) {
  return static_cast<char>(number & 0xff);
}

char high(std::size_t number) {
  return static_cast<char>(number >> 8 & 0xff);
}

Pieces split_records(std::string_view bytes) {
  Pieces all;
  while (bytes.size() >= 8 && bytes[0] == 1) {
    const std::size_t size = byte_at(bytes, 4) << 8 | byte_at(bytes, 5);
    const std::size_t whole = 8 + size + byte_at(bytes, 6);
    if (bytes.size() < whole) break;
    std::string fixed(bytes.substr(1, 3));
    fixed += bytes.substr(6, 2);
    all.pieces.push_back({fixed, std::string(bytes.substr(8, size))});
    bytes.remove_prefix(whole);
  }
  all.rest = bytes;
  return all;
}

std::string join_records(const Pieces& all) {
  std::string bytes = all.front;
  for (auto [fixed, content] : all.pieces) {
    fixed.resize(5);
    bytes += '\1';
    bytes.append(fixed, 0, 3);
    bytes += {high(content.size()), low(content.size()), fixed[3], fixed[4]};
    bytes += content;
    bytes.append(byte_at(fixed, 3), '\0');
  }
  return bytes + all.rest;
}

Pieces split_chosen_records(std::string_view bytes) {
  Pieces all = split_records(bytes.substr(std::min<std::size_t>(1, bytes.size())));
  all.front = bytes.substr(0, 1);
  return all;
}

Pieces split_netstring(std::string_view bytes) {
  Pieces all;
  std::size_t size = 0;
  const auto [colon, failure] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), size);
  const auto digits = static_cast<std::size_t>(colon - bytes.data());
  const bool whole = failure == std::errc{} && digits < bytes.size() && bytes[digits] == ':' &&
                     size < bytes.size() - digits - 1 && bytes[digits + 1 + size] == ',';
  if (!whole) return {{}, {}, std::string(bytes)};
  std::string_view block = bytes.substr(digits + 1, size);
  while (!block.empty()) {
    const std::string_view text = block.substr(0, block.find('\0'));
    all.pieces.push_back({{}, std::string(block.substr(0, text.size() + 1))});
    block.remove_prefix(all.pieces.back().content.size());
  }
  all.rest = bytes.substr(digits + 2 + size);
  return all;
}

std::string join_netstring(const Pieces& all) {
  if (all.pieces.empty()) return all.rest;
  std::string block;
  for (const auto& piece : all.pieces) block += piece.content;
  return std::to_string(block.size()) + ":" + block + "," + all.rest;
}

Pieces split_uwsgi(std::string_view bytes) {
  if (bytes.size() < 4) return {{}, {}, std::string(bytes)};
  Pieces all{std::string(bytes.substr(0, 4)), {}, {}};
  const std::size_t size = byte_at(bytes, 1) | byte_at(bytes, 2) << 8;
  std::string_view block = bytes.substr(4, size);
  while (block.size() >= 2) {
    const std::size_t length = byte_at(block, 0) | byte_at(block, 1) << 8;
    if (block.size() - 2 < length) break;
    all.pieces.push_back({{}, std::string(block.substr(2, length))});
    block.remove_prefix(2 + length);
  }
  all.rest = bytes.substr(static_cast<std::size_t>(block.data() - bytes.data()));
  return all;
}

std::string join_uwsgi(const Pieces& all) {
  if (all.front.size() < 4) return all.rest;
  std::string block;
  for (const auto& piece : all.pieces) {
    block += {low(piece.content.size()), high(piece.content.size())};
    block += piece.content;
  }
  return all.front.substr(0, 1) + low(block.size()) + high(block.size()) + all.front[3] + block +
         all.rest;
}

Pieces split_steps(std::string_view bytes) {
  Pieces all;
  while (bytes.size() >= 4) {
    const std::size_t size = byte_at(bytes, 2) | byte_at(bytes, 3) << 8;
    const std::size_t taken = std::min(size, bytes.size() - 4);
    all.pieces.push_back({std::string(bytes.substr(0, 2)), std::string(bytes.substr(4, taken))});
    bytes.remove_prefix(4 + taken);
  }
  return all;
}

std::string join_steps(const Pieces& all) {
  std::string bytes;
  for (auto [fixed, content] : all.pieces) {
    fixed.resize(2);
    bytes += fixed + low(content.size()) + high(content.size()) + content;
  }
  return bytes;
}

void mutate_text(std::string& text, std::size_t max) {
  const std::size_t size = text.size();
  text.resize(std::max(size, max));
  text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), size, text.size()));
}

using Random = std::minstd_rand;

std::size_t below(Random& random, std::size_t bound) {
  return random() % bound;
}

void mutate_pieces(Pieces& all, const Format* inner, std::size_t room, Random& random) {
  auto& pieces = all.pieces;
  const std::size_t at = below(random, pieces.size());
  Pieces::Piece& piece = pieces[at];
  switch (below(random, 8)) {
    case 0:
      mutate_text(piece.fixed, piece.fixed.size());
      break;
    case 1:
      pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(at), Pieces::Piece(piece));
      break;
    case 2:
      pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    case 3:
      std::swap(piece, pieces[below(random, pieces.size())]);
      break;
    case 4: {
      const std::size_t cut = below(random, piece.content.size() + 1);
      Pieces::Piece behind{piece.fixed, piece.content.substr(cut)};
      piece.content.resize(cut);
      pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(at) + 1, std::move(behind));
      break;
    }
    default:
      Pieces parts;
      if (inner != nullptr) parts = inner->split(piece.content);
      if (parts.pieces.empty()) {
        mutate_text(piece.content, std::min(kMaxContent, piece.content.size() + room));
      } else {
        mutate_pieces(parts, nullptr, room, random);
        piece.content = inner->join(parts);
      }
  }
  for (Pieces::Piece& each : pieces) {
    if (each.content.size() > kMaxContent) each.content.resize(kMaxContent);
  }
}

}  // namespace

const Format kRecords{split_records, join_records};
const Format kChosenRecords{split_chosen_records, join_records};
const Format kNetstring{split_netstring, join_netstring};
const Format kUwsgi{split_uwsgi, join_uwsgi};
const Format kSteps{split_steps, join_steps};

std::size_t mutate(const Format& format, const Format* inner, std::uint8_t* data, std::size_t size,
                   std::size_t max_size, unsigned seed) {
  Random random(seed);
  Pieces all = format.split({reinterpret_cast<const char*>(data), size});
  if (all.pieces.empty() || below(random, 4) == 0) return LLVMFuzzerMutate(data, size, max_size);
  mutate_pieces(all, inner, max_size - size, random);
  const std::string joined = format.join(all);
  const std::size_t taken = std::min(joined.size(), max_size);
  std::copy_n(joined.begin(), taken, reinterpret_cast<char*>(data));
  return taken;
}

}  // namespace viaduct::test
