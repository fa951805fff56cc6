#include "tests/support/smuggling.hpp"

namespace viaduct::test {
namespace {

const std::string kPost = "POST / HTTP/1.1\r\nHost: h\r\n";

// A POST with these fields and, behind its head, those bytes.
std::string post(const std::string& fields, const std::string& behind) {
  return kPost + fields + "\r\n\r\n" + behind;
}

// What nobody may take for a request, since the length of the body in front of it is in doubt.
std::string doubtful(const std::string& fields) {
  return post(fields, "0\r\n\r\n" + kSmuggled);
}

std::string chunked(const std::string& body) {
  return post("Transfer-Encoding: chunked", body);
}

std::string nul(std::string text) {
  for (char& c : text) c = c == '\1' ? '\0' : c;
  return text;
}

const std::vector<std::string> kBoth = {"POST / hello", "GET /smuggled "};
const std::vector<std::string> kCut = {"POST / ..."};

std::vector<Smuggling> both_lengths() {
  return {
      {"ClTe", doubtful("Content-Length: 6\r\nTransfer-Encoding: chunked"), {}, 400},
      {"TeCl", doubtful("Transfer-Encoding: chunked\r\nContent-Length: 6"), {}, 400},
      {"ClTeOfZero", doubtful("Content-Length: 0\r\nTransfer-Encoding: chunked"), {}, 400},
      {"ClAndUnknownCoding", doubtful("Content-Length: 6\r\nTransfer-Encoding: x"), {}, 400},
      {"ClAndTeWithUnderscore",
       post("Content-Length: 5\r\nTransfer_Encoding: chunked", "hello" + kSmuggled), kBoth},
      {"ClAndContentEncoding",
       post("Content-Length: 5\r\nContent-Encoding: chunked", "hello" + kSmuggled), kBoth},
      {"ConnectionNamesContentLength",
       post("Content-Length: 5\r\nConnection: Content-Length", "hello" + kSmuggled), kBoth},
      {"ConnectionNamesTransferEncoding",
       post("Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding",
            "5\r\nhello\r\n0\r\n\r\n" + kSmuggled),
       kBoth},
  };
}

std::vector<Smuggling> codings() {
  const auto coding = [](const char* name, const std::string& value, int status) {
    return Smuggling{name, doubtful("Transfer-Encoding: " + value), {}, status};
  };
  const auto taken = [](const char* name, const std::string& field) {
    return Smuggling{name, post(field, "5\r\nhello\r\n0\r\n\r\n" + kSmuggled), kBoth};
  };
  return {
      coding("TeOfAnotherName", "xchunked", 501),
      coding("TeCutShort", "chunk", 501),
      coding("TeCow", "cow", 501),
      coding("TeIdentity", "identity", 501),
      coding("TeGzip", "gzip, chunked", 501),
      coding("TeChunkedFirst", "chunked, identity", 501),
      coding("TeChunkedTwice", "chunked, chunked", 501),
      coding("TeEmptyElementBehind", "chunked,", 501),
      coding("TeEmptyElementInFront", ", chunked", 501),
      coding("TeInQuotes", "\"chunked\"", 501),
      coding("TeInSingleQuotes", "'chunked'", 501),
      coding("TeWithParameter", "chunked;x=y", 501),
      coding("TeWithKelvinSign",
             "chun\xe2\x84\xaa"
             "ed",
             501),
      coding("TeEmpty", "", 501),
      coding("TeBehindVerticalTab", "\vchunked", 400),
      coding("TeInFrontOfVerticalTab", "chunked\v", 400),
      coding("TeBehindNul", nul("\1chunked"), 400),
      coding("TeInFrontOfNul", nul("chunked\1"), 400),
      coding("TeInFrontOfCarriageReturn", "chunked\r", 400),
      coding("TeFolded", "\r\n chunked", 400),
      coding("TeFoldedBehind", "chunked\r\n ", 400),
      {"TeTwice", doubtful("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), {}, 400},
      {"TeOfTwoKinds", doubtful("Transfer-Encoding: chunked\r\nTransfer-Encoding: x"), {}, 400},
      {"TeOfTwoKindsReversed",
       doubtful("Transfer-Encoding: x\r\nTransfer-Encoding: chunked"),
       {},
       501},
      {"TeWithSpaceInFrontOfColon", doubtful("Transfer-Encoding : chunked"), {}, 400},
      {"TeWithTabInFrontOfColon", doubtful("Transfer-Encoding\t: chunked"), {}, 400},
      {"TeWithLineEndInFrontOfColon", doubtful("Transfer-Encoding\r\n : chunked"), {}, 400},
      {"TeBehindSpace", doubtful("X: y\r\n Transfer-Encoding: chunked"), {}, 400},
      {"TeBehindBareLineFeed", doubtful("X: y\nTransfer-Encoding: chunked"), {}, 400},
      {"TeBehindBareCarriageReturn", doubtful("X: y\rTransfer-Encoding: chunked"), {}, 400},
      {"TeWithHighByte", doubtful("\xa0Transfer-Encoding: chunked"), {}, 400},
      {"TeInHttp10",
       "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kSmuggled,
       {},
       400},
      taken("TeInUpperCase", "TRANSFER-ENCODING: CHUNKED"),
      taken("TeWithoutSpace", "Transfer-Encoding:chunked"),
      taken("TeBehindTab", "Transfer-Encoding:\tchunked \t"),
  };
}

std::vector<Smuggling> lengths() {
  const auto length = [](const char* name, const std::string& value) {
    return Smuggling{name, post("Content-Length: " + value, "hello" + kSmuggled), {}, 400};
  };
  const auto taken = [](const char* name, const std::string& field) {
    return Smuggling{name, post(field, "hello" + kSmuggled), kBoth};
  };
  return {
      length("ClWithPlus", "+5"),
      length("ClNegative", "-5"),
      length("ClOfTwoNumbers", "5 5"),
      length("ClListOfTheSame", "5, 5"),
      length("ClListOfTwo", "5, 6"),
      length("ClListOfOne", "5,"),
      length("ClHexadecimal", "0x5"),
      length("ClWithUnderscore", "0_5"),
      length("ClWithPoint", "5.0"),
      length("ClWithExponent", "5e0"),
      length("ClWithSemicolon", "5;"),
      length("ClInQuotes", "\"5\""),
      length("ClEmpty", ""),
      length("ClOfLetters", "five"),
      length("ClOfWideDigits", "\xef\xbc\x95"),
      length("ClBeyond64Bits", "18446744073709551621"),
      length("ClInFrontOfVerticalTab", "5\v"),
      length("ClInFrontOfNul", nul("5\1")),
      length("ClInFrontOfCarriageReturn", "5\r"),
      length("ClFolded", "\r\n 5"),
      length("ClTwice", "5\r\nContent-Length: 5"),
      length("ClTwiceDifferently", "5\r\ncontent-length: 40"),
      length("ClTwiceWithZero", "0\r\nContent-Length: 5"),
      {"ClWithSpaceInFrontOfColon", post("Content-Length : 5", "hello" + kSmuggled), {}, 400},
      {"ClWithSpaceInName", post("Content Length: 5", "hello" + kSmuggled), {}, 400},
      {"ClWithNulInName", nul(post("Content-Length\1: 5", "hello" + kSmuggled)), {}, 400},
      {"ClBehindSpace", post("X: y\r\n Content-Length: 5", "hello" + kSmuggled), {}, 400},
      {"ClBehindBareCarriageReturn", post("X: y\rContent-Length: 5", "hello" + kSmuggled), {}, 400},
      taken("ClWithZerosInFront", "Content-Length: 0000000000000000000000005"),
      taken("ClWithBlanks", "Content-Length:  \t5 \t"),
      {"ClOfAnotherName",
       post("Content_Length: 30\r\nContent-Length: 5", "hello"),
       {"POST / hello"},
       0,
       {"CONTENT_LENGTH=5", "!HTTP_CONTENT_LENGTH"}},
      {"ClWithUnderscoreAlone",
       post("Content_Length: 5", kSmuggled),
       {"POST / ", "GET /smuggled "}},
      {"ClZero", post("Content-Length: 0", kSmuggled), {"POST / ", "GET /smuggled "}},
      {"ClOfTheSmuggled",
       post("Content-Length: " + std::to_string(kSmuggled.size()), kSmuggled),
       {"POST / " + kSmuggled}},
      {"ClOfTheSmuggledInGet",
       "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(kSmuggled.size()) +
           "\r\n\r\n" + kSmuggled,
       {"GET / " + kSmuggled}},
      {"ClOfTheSmuggledInHead",
       "HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(kSmuggled.size()) +
           "\r\n\r\n" + kSmuggled,
       {"HEAD / " + kSmuggled}},
      {"ClBeyondTheSmuggled",
       post("Content-Length: 300", kSmuggled),
       {"POST / " + kSmuggled + "..."}},
      {"ClShorterThanTheBody",
       post("Content-Length: 4", "hello" + kSmuggled),
       {"POST / hell", "oGET /smuggled "}},
  };
}

}  // namespace

std::vector<Smuggling> smuggled_by_lengths() {
  std::vector<Smuggling> all = both_lengths();
  for (auto part : {codings(), lengths()}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<Smuggling> smuggled_in_chunks() {
  const auto cut = [](const char* name, const std::string& body,
                      const std::vector<std::string>& requests = kCut) {
    return Smuggling{name, chunked(body + kSmuggled), requests, 400};
  };
  const auto taken = [](const char* name, const std::string& body) {
    return Smuggling{name, chunked(body + kSmuggled), kBoth};
  };
  const std::string last = "0\r\n\r\n";
  const std::vector<std::string> hello = {"POST / hello..."};
  return {
      cut("SizeMissing", "\r\n" + last),
      cut("SizeWithPlus", "+5\r\nhello\r\n" + last),
      cut("SizeNegative", "-5\r\nhello\r\n" + last),
      cut("SizeWith0x", "0x5\r\nhello\r\n" + last),
      cut("SizeWithUnderscore", "0_5\r\nhello\r\n" + last),
      cut("SizeBehindSpace", " 5\r\nhello\r\n" + last),
      cut("SizeInFrontOfSpace", "5 \r\nhello\r\n" + last),
      cut("SizeInFrontOfTab", "5\t\r\nhello\r\n" + last),
      cut("SizeInFrontOfNul", nul("5\1\r\nhello\r\n") + last),
      cut("SizeOfLetters", "five\r\nhello\r\n" + last),
      cut("SizeBeyond64Bits", "10000000000000005\r\nhello\r\n" + last),
      cut("SizeOfManyZeros", "00000000000000005\r\nhello\r\n" + last),
      cut("SizeEndsWithLineFeed", "5\nhello\r\n" + last),
      cut("SizeEndsWithCarriageReturn", "5\rhello\r\n" + last),
      cut("ExtensionEndsWithLineFeed", "5;x\nhello\r\n" + last),
      cut("ExtensionWithCarriageReturn", "5;x\ry\r\nhello\r\n" + last),
      cut("ExtensionWithNul", nul("5;x\1\r\nhello\r\n") + last),
      cut("ExtensionOverTheLimit", "5;" + std::string(5000, 'x') + "\r\nhello\r\n" + last),
      cut("ExtensionQuotesALineEnd", "5;x=\"\r\nhello\"\r\n" + last, hello),
      taken("ExtensionsAreSkipped", "5;x=y;z=\"0\"\r\nhello\r\n0;x\r\n\r\n"),
      taken("SizeInUpperCaseWithZeros", "0000000000000005\r\nhello\r\n000\r\n\r\n"),
      cut("DataLongerThanItsSize", "5\r\nhelloX\r\n" + last, hello),
      cut("DataWithoutLineEnd", "5\r\nhello" + last, hello),
      cut("DataEndsWithLineFeed", "5\r\nhello\n" + last, hello),
      cut("DataEndsWithCarriageReturn", "5\r\nhello\r" + last, hello),
      cut("DataEndsWithOtherBytes", "5\r\nhelloXX" + last, hello),
      cut("LastChunkEndsWithLineFeeds", "5\r\nhello\r\n0\n\n", hello),
      cut("TrailerEndsWithLineFeed", "5\r\nhello\r\n0\r\n\n", hello),
      cut("TrailerLineEndsWithLineFeed", "5\r\nhello\r\n0\r\nX: y\n\r\n", hello),
      cut("TrailerOverTheLimit", "5\r\nhello\r\n0\r\nX: " + std::string(5000, 'x') + "\r\n\r\n",
          hello),
      cut("TrailerIsARequest", "5\r\nhello\r\n0\r\n", hello),
      cut("TrailerWithSpaceInFrontOfColon", "5\r\nhello\r\n0\r\nX : y\r\n\r\n", hello),
      cut("TrailerFolded", "5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n", hello),
      cut("TrailerWithoutName", "5\r\nhello\r\n0\r\n: y\r\n\r\n", hello),
      taken("TrailerIsSkipped", "5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
      {"TrailerForgesFields",
       chunked("5\r\nhello\r\n0\r\nContent-Length: 9\r\nHost: evil\r\nX-Real: 1\r\n"
               "Transfer-Encoding: x\r\nAuthorization: a\r\n\r\n"),
       {"POST / hello"},
       0,
       {"HTTP_HOST=h", "!CONTENT_LENGTH", "!HTTP_X_REAL", "!HTTP_TRANSFER_ENCODING",
        "!HTTP_AUTHORIZATION"}},
      {"ChunkOfTheSmuggled",
       chunked("23\r\n" + kSmuggled + "\r\n0\r\n\r\n"),
       {"POST / " + kSmuggled}},
  };
}

}  // namespace viaduct::test
