#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace viaduct::test {

/// An input taken apart along its own lengths, so that a mutation of one part leaves the others,
/// and the lengths, in order: random changes of bytes seldom get past the first length.
struct Pieces {
  struct Piece {
    std::string fixed;    ///< what stands in front of the content besides its length
    std::string content;  ///< shorter than 64 KiB
  };
  std::string front{};  ///< in front of the pieces, taken as it is
  std::vector<Piece> pieces{};
  std::string rest{};  ///< what could not be taken apart, or stands behind
};

/// How the bytes of one kind of input are taken apart, and put together with lengths that are
/// right. `join(split(x)) == x` for an input that is well-formed.
struct Format {
  Pieces (*split)(std::string_view bytes);
  std::string (*join)(const Pieces& pieces);
};

/// FastCGI records; `fixed`: type, id, padding length, reserved.
extern const Format kRecords;
/// The same behind one byte, the fuzzer's own.
extern const Format kChosenRecords;
/// A netstring, its content cut behind each NUL; `rest`: what follows it.
extern const Format kNetstring;
/// A uwsgi packet; a piece is a name or a value; `rest`: the body.
extern const Format kUwsgi;
/// Steps of a script (script.hpp); `fixed`: kind and argument.
extern const Format kSteps;

/// The body of LLVMFuzzerCustomMutator: changes, repeats, drops, swaps or cuts a piece; one time in
/// four the bytes as they are. `inner`: content that is itself taken apart, or null.
std::size_t mutate(const Format& format, const Format* inner, std::uint8_t* data, std::size_t size,
                   std::size_t max_size, unsigned seed);

}  // namespace viaduct::test
