#include "protocol/fastcgi/params.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/fastcgi_records.hpp"

namespace viaduct::protocol::fastcgi {
namespace {

using test::long_length;
using test::pair;

std::string show(const RequestHead& head) {
  std::string text;
  for (const auto [name, value] : head.params) {
    text.append(name).append("=").append(value.size() > 40 ? std::to_string(value.size()) : value);
    text.append(";");
  }
  return text;
}

std::string read_once(const std::string& stream, const Limits& limits, std::size_t step,
                      std::size_t first) {
  ParamsReader reader(limits);
  std::string_view left = stream;
  while (!left.empty()) {
    const std::size_t size = std::min(first > 0 ? first : step, left.size());
    first = 0;
    const Errc error = reader.feed(as_bytes(left.substr(0, size)));
    if (error != Errc::ok) return describe(error);
    left.remove_prefix(size);
  }
  RequestHead head;
  const Errc error = reader.finish(head);
  return error == Errc::ok ? show(head) : describe(error);
}

std::string read(const std::string& stream, const Limits& limits = {}) {
  const std::string whole = read_once(stream, limits, stream.size(), 0);
  EXPECT_EQ(read_once(stream, limits, 1, 0), whole);
  const std::size_t step = stream.size() > 2000 ? 97 : 1;
  for (std::size_t at = 1; at < stream.size(); at += step) {
    EXPECT_EQ(read_once(stream, limits, stream.size(), at), whole) << "cut at " << at;
  }
  return whole;
}

TEST(ParamsReader, ShortAndLongLengthsInAnyCombination) {
  const std::string n127(127, 'n');
  const std::string n128(128, 'n');
  const std::string stream = pair("A", "1") + pair(n127, "x") + pair("B", std::string(127, 'v')) +
                             pair(n128, "y") + pair("C", std::string(128, 'v')) + pair("D", "");
  EXPECT_EQ(read(stream), "A=1;" + n127 + "=x;B=127;" + n128 + "=y;C=128;D=;");
}

TEST(ParamsReader, FourByteFormOfAShortLengthIsAccepted) {
  EXPECT_EQ(read(long_length(1) + long_length(2) + "Axy" + long_length(1) + "\1" + "Bz"),
            "A=xy;B=z;");
}

TEST(ParamsReader, EmptyStreamHasNoParams) {
  EXPECT_EQ(read(""), "");
}

TEST(ParamsReader, StreamThatEndsWithinAPairIsAnError) {
  const std::string stream = pair("NAME", "value") + pair("OTHER", std::string(200, 'v'));
  for (std::size_t size = 1; size < stream.size(); ++size) {
    const std::string expected = size == 11 ? "NAME=value;" : describe(Errc::bad_params);
    EXPECT_EQ(read(stream.substr(0, size)), expected) << size;
  }
}

// CVE-2025-23016: lengths whose sum wraps to something small in 32 bits.
TEST(ParamsReader, LengthsNearTwoToThe31AreRefusedBeforeAnythingIsStored) {
  constexpr std::uint32_t kGreatest = 0x7fffffff;
  for (const std::uint32_t size : {kGreatest, kGreatest - 1, kGreatest - 8, 0x40000000u}) {
    const std::string long_name = long_length(size) + long_length(size) + "x";
    EXPECT_EQ(read(long_name), describe(Errc::param_name_too_long)) << size;
    EXPECT_EQ(read("\1" + long_length(size) + "x"), describe(Errc::param_value_too_long)) << size;
    EXPECT_EQ(read(long_length(size) + "\1x"), describe(Errc::param_name_too_long)) << size;
  }
}

TEST(ParamsReader, LimitsAreCheckedAgainstWhatIsAnnounced) {
  const Limits limits{.params = 100, .name = 10, .value = 50, .count = 2};
  EXPECT_EQ(read("\12" + std::string("\62") + std::string(10, 'n') + std::string(50, 'v'), limits),
            std::string(10, 'n') + "=50;");
  // Nothing but the lengths has arrived.
  EXPECT_EQ(read(std::string("\13\1"), limits), describe(Errc::param_name_too_long));
  EXPECT_EQ(read(std::string("\1\63"), limits), describe(Errc::param_value_too_long));
  EXPECT_EQ(read(pair("A", std::string(50, 'v')) + std::string("\1\61"), limits),
            describe(Errc::params_too_large));
  EXPECT_EQ(read(pair("A", "") + pair("B", "") + std::string("\1\1"), limits),
            describe(Errc::too_many_params));
}

TEST(ParamsReader, BadNamesAndValues) {
  EXPECT_EQ(read(pair("", "x")), describe(Errc::bad_param_name));
  EXPECT_EQ(read(pair("A=B", "x")), describe(Errc::bad_param_name));
  EXPECT_EQ(read(pair("A", std::string("\0", 1))), describe(Errc::bad_param_value));
}

TEST(ParamsReader, LargestBlockFits) {
  EXPECT_EQ(read(pair("A", std::string(65535, 'v'))), "A=65535;");
  EXPECT_EQ(read(pair("A", std::string(65536, 'v'))), describe(Errc::params_too_large));
  EXPECT_EQ(read(pair("A", std::string(65537, 'v'))), describe(Errc::param_value_too_long));
}

TEST(ParamsReader, EncodedSizeCountsLengths) {
  for (const std::size_t size : {0, 1, 127, 128, 70000}) {
    const std::string text(size, 'x');
    EXPECT_EQ(encoded_size("A", text), pair("A", text).size());
    EXPECT_EQ(encoded_size(text, "A"), pair(text, "A").size());
  }
}

}  // namespace
}  // namespace viaduct::protocol::fastcgi
