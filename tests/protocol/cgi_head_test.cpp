#include "protocol/cgi_head.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/trace.hpp"

namespace viaduct::protocol {
namespace {

std::string read(const std::string& text, std::size_t limit = 64 * 1024,
                 HeadRules rules = HeadRules::lenient) {
  std::string whole;
  CgiHeadReader reader(limit, rules);
  whole = test::trace(reader, {text});
  for (std::size_t at = 0; at <= text.size(); ++at) {
    reader.reset();
    EXPECT_EQ(test::trace(reader, test::cut(text, {at})), whole) << "cut at " << at;
  }
  reader.reset();
  EXPECT_EQ(test::trace(reader, test::single_bytes(text)), whole);
  return whole;
}

std::string error(Errc value) {
  return "error (" + std::string(describe(value)) + ")\n";
}

TEST(CgiHeadReader, DocumentResponseDefaultsTo200) {
  EXPECT_EQ(read("Content-Type: text/html\r\n\r\nbody"),
            "status 200 [] length unknown Content-Type=text/html\nrest body\n");
}

TEST(CgiHeadReader, LineFeedAloneEndsALine) {
  EXPECT_EQ(read("Content-Type: a/b\nX: 1\n\n\nbody"),
            "status 200 [] length unknown Content-Type=a/b X=1\nrest \\x0abody\n");
}

TEST(CgiHeadReader, StatusFieldIsNotAnOrdinaryField) {
  EXPECT_EQ(read("status:404 Not  Here \r\nX:y\r\n\r\n"),
            "status 404 [Not  Here] length unknown X=y\nrest \n");
  EXPECT_EQ(read("Status: 204\r\n\r\n"), "status 204 [] length unknown\nrest \n");
}

TEST(CgiHeadReader, BareStatusLineOfProgramsThatSpeakHttp) {
  EXPECT_EQ(read("HTTP/1.1 404 Not Found\r\nX: y\r\n\r\n"),
            "status 404 [Not Found] length unknown X=y\nrest \n");
  EXPECT_EQ(read("HTTP/1.0 201\r\n\r\n"), "status 201 [] length unknown\nrest \n");
  EXPECT_EQ(read("HTTP/1.1 200 OK\nStatus: 503 Busy\n\n"),
            "status 503 [Busy] length unknown\nrest \n");
  EXPECT_EQ(read("HTTP/1.1\r\n\r\n"), error(Errc::bad_status));
  EXPECT_EQ(read("X: y\r\nHTTP/1.1 200 OK\r\n\r\n"), error(Errc::bad_head_line));
}

TEST(CgiHeadReader, LocationAloneIsARedirect) {
  EXPECT_EQ(read("Location: http://h/x\r\n\r\n"),
            "status 302 [] length unknown Location=http://h/x\nrest \n");
  EXPECT_EQ(read("Location: /x\r\nStatus: 200 OK\r\n\r\n"),
            "status 200 [OK] length unknown Location=/x\nrest \n");
  EXPECT_EQ(read("HTTP/1.1 201 Made\r\nLocation: /x\r\n\r\n"),
            "status 201 [Made] length unknown Location=/x\nrest \n");
}

TEST(CgiHeadReader, RepeatedFieldsStayApart) {
  EXPECT_EQ(read("Set-Cookie: a\r\nSet-Cookie: b\r\n\r\n"),
            "status 200 [] length unknown Set-Cookie=a Set-Cookie=b\nrest \n");
}

TEST(CgiHeadReader, CgiFieldsThatContradictEachOtherAreErrors) {
  for (const std::string name : {"Status", "Location"}) {
    EXPECT_EQ(read(name + ": 200\r\n" + name + ": 201\r\n\r\n"), error(Errc::duplicate_cgi_field))
        << name;
  }
  EXPECT_EQ(read("Status: 200\r\nStatus: OK\r\n\r\n"), error(Errc::bad_status));
}

TEST(CgiHeadReader, ContentLengthIsOneNumber) {
  EXPECT_EQ(read("Content-Length: 12\r\ncontent-length: 12\r\n\r\n"),
            "status 200 [] length 12 Content-Length=12\nrest \n");
  EXPECT_EQ(read("Content-Length: 18446744073709551615\n\n"),
            "status 200 [] length 18446744073709551615 Content-Length=18446744073709551615\n"
            "rest \n");
  EXPECT_EQ(read("Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            error(Errc::conflicting_lengths));
  for (const std::string bad : {"1,2", "1,", ",", "1, one"}) {
    EXPECT_EQ(read("Content-Length: " + bad + "\r\n\r\n"), error(Errc::conflicting_lengths)) << bad;
  }
  EXPECT_EQ(read("Content-Length: 7, 7 ,7\r\n\r\n"),
            "status 200 [] length 7 Content-Length=7\nrest \n");
}

TEST(CgiHeadReader, HopByHopFieldsAreDropped) {
  EXPECT_EQ(read("Connection: close\r\nkeep-alive: 5\r\nUPGRADE: x\r\nTE: t\r\nX: y\r\n\r\n"),
            "status 200 [] length unknown X=y\nrest \n");
  EXPECT_EQ(read("Transfer-Encoding: gzip\r\n\r\n"), error(Errc::forbidden_field));
  EXPECT_EQ(read("Transfer-Encoding: gzip, chunked\r\n\r\n"), error(Errc::forbidden_field));
}

// What is mended when lenient, and an error when strict.
TEST(CgiHeadReader, LenientMendsWhatStrictRefuses) {
  const std::string unknown = "status 200 [] length unknown";
  struct Row {
    std::string head;
    Mend mend;
    std::string line;
    std::string lenient;  // without the rest
    Errc strict;
  };
  for (const Row& row : std::vector<Row>{
           {"Content-Type: a/b\r\nX: 1\r\ncontent-type: c/d", Mend::repeated_field,
            "content-type: c/d", unknown + " X=1 content-type=c/d", Errc::duplicate_cgi_field},
           {"Status: 404 A\r\nX: 1\r\nStatus: 404 B", Mend::repeated_field, "Status: 404 B",
            "status 404 [A] length unknown X=1", Errc::duplicate_cgi_field},
           {"Location: /x\r\nLocation: /x", Mend::repeated_field, "Location: /x",
            "status 302 [] length unknown Location=/x", Errc::duplicate_cgi_field},
           {"Transfer-Encoding: Chunked", Mend::transfer_encoding, "Transfer-Encoding: Chunked",
            unknown, Errc::forbidden_field},
           {"transfer-encoding: identity\r\nContent-Length: 5", Mend::transfer_encoding,
            "transfer-encoding: identity", "status 200 [] length 5 Content-Length=5",
            Errc::forbidden_field},
           {"Transfer-Encoding:\r\nX: 1", Mend::transfer_encoding,
            "Transfer-Encoding:", unknown + " X=1", Errc::forbidden_field},
           {"X(A): b\r\nX: 1", Mend::bad_name, "X(A): b", unknown + " X=1", Errc::bad_head_line},
           {"N\xc3\xa4me: b", Mend::bad_name, "N\xc3\xa4me: b", unknown, Errc::bad_head_line},
           {"", Mend::no_field, "", unknown, Errc::bad_head_line}}) {
    const std::string text = row.head + (row.head.empty() ? "\r\n" : "\r\n\r\n") + "body";
    EXPECT_EQ(read(text), row.lenient + "\nrest body\n") << row.head;
    EXPECT_EQ(read(text, 64 * 1024, HeadRules::strict), error(row.strict)) << row.head;
    CgiHeadReader reader;
    reader.feed(as_bytes(text));
    EXPECT_EQ(reader.mend(), row.mend) << row.head;
    EXPECT_EQ(reader.mended_line(), row.line);
    reader.reset();
    EXPECT_EQ(reader.mend(), Mend::none);
  }
}

TEST(CgiHeadReader, LengthsThatAreNoNumbersAreDroppedUnlessThereIsANumber) {
  for (const std::string bad : {"", "-1", "+1", "0x1", "18446744073709551616", "1 1", "five"}) {
    const std::string field = "Content-Length: " + bad + "\r\n";
    EXPECT_EQ(read(field + "\r\n"), "status 200 [] length unknown\nrest \n") << bad;
    EXPECT_EQ(read(field + field + "\r\n"), "status 200 [] length unknown\nrest \n") << bad;
    EXPECT_EQ(read(field + "\r\n", 64 * 1024, HeadRules::strict), error(Errc::conflicting_lengths))
        << bad;
    EXPECT_EQ(read(field + "Content-Length: 1\r\n\r\n"), error(Errc::conflicting_lengths)) << bad;
    EXPECT_EQ(read("Content-Length: 1\r\n" + field + "\r\n"), error(Errc::conflicting_lengths))
        << bad;
  }
  EXPECT_EQ(read("Content-Length: 1,1\r\n\r\n", 64 * 1024, HeadRules::strict),
            error(Errc::conflicting_lengths));
}

TEST(CgiHeadReader, TheBeginningOfALongLineIsShown) {
  CgiHeadReader reader;
  reader.feed(as_bytes("Transfer-Encoding: chunked" + std::string(100, ' ') + "\r\n\r\n"));
  EXPECT_EQ(reader.mended_line(), "Transfer-Encoding: chunked" + std::string(38, ' '));
}

TEST(CgiHeadReader, InterimResponsesAreSkipped) {
  EXPECT_EQ(read("Status: 103 Early Hints\r\nLink: </a>\r\nContent-Length: 9\r\n\r\n"
                 "Status: 404\r\nX: y\r\n\r\nbody"),
            "status 404 [] length unknown X=y\nrest body\n");
  EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\n\r\nbody"),
            "status 201 [Made] length unknown\nrest body\n");
  EXPECT_EQ(read("Status: 100\r\n\r\n"), "incomplete\n");
  EXPECT_EQ(read("Status: 199\r\n\r\nStatus: 20\r\n\r\n"), error(Errc::bad_status));
}

TEST(CgiHeadReader, InterimResponsesHaveLimits) {
  const auto interim = [](unsigned times) {
    std::string text;
    for (unsigned i = 0; i < times; ++i) text += "Status: 102\r\n\r\n";
    return text + "X: y\r\n\r\n";
  };
  const std::string last = "status 200 [] length unknown X=y\nrest \n";
  EXPECT_EQ(read(interim(CgiHeadReader::kInterim - 1)), last);
  EXPECT_EQ(read(interim(CgiHeadReader::kInterim)), last);
  EXPECT_EQ(read(interim(CgiHeadReader::kInterim + 1)), error(Errc::too_many_interim));
  // Each head by itself.
  EXPECT_EQ(read(interim(2), 15), last);
  EXPECT_EQ(read(interim(2), 14), error(Errc::head_too_large));
}

TEST(CgiHeadReader, ResetContentHasNone) {
  for (const std::string length : {"", "Content-Length: 5\r\n", "content-length: 0\r\n"}) {
    EXPECT_EQ(read("Status: 205\r\nX: y\r\n" + length + "\r\nhello"),
              "status 205 [] length 0 X=y Content-Length=0\nrest hello\n");
  }
}

TEST(CgiHeadReader, NoContentHasNoLength) {
  for (const std::string length : {"", "Content-Length: 5\r\n", "content-length: 0\r\n"}) {
    EXPECT_EQ(read("Status: 204\r\nX: y\r\n" + length + "\r\nhello"),
              "status 204 [] length unknown X=y\nrest hello\n");
    EXPECT_EQ(read(length + "Status: 204\r\nX: y\r\n\r\n"),
              "status 204 [] length unknown X=y\nrest \n");
  }
}

TEST(CgiHeadReader, RepetitionsHaveALimit) {
  const auto repeated = [](unsigned times, HeadRules rules = HeadRules::lenient) {
    std::string text = "Content-Type: a\r\n";
    for (unsigned i = 0; i < times; ++i) text += "Content-Type: b\r\n";
    return read(text + "\r\n", 64 * 1024, rules);
  };
  const std::string last = "status 200 [] length unknown Content-Type=b\nrest \n";
  EXPECT_EQ(repeated(15), last);
  EXPECT_EQ(repeated(16), last);
  EXPECT_EQ(repeated(17), error(Errc::duplicate_cgi_field));
  EXPECT_EQ(repeated(1, HeadRules::strict), error(Errc::duplicate_cgi_field));
}

TEST(CgiHeadReader, SwitchingProtocolsIsFinal) {
  EXPECT_EQ(read("Status: 101\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 "content-length: 4\r\n\r\nbytes"),
            "status 101 [] length unknown Upgrade=websocket\nrest bytes\n");
  // What an interim response named is not meant by the next.
  EXPECT_EQ(read("Status: 100\r\nUpgrade: a\r\n\r\nStatus: 101\r\n\r\n"),
            "status 101 [] length unknown\nrest \n");
}

TEST(CgiHeadReader, MalformedLinesAreErrors) {
  for (const std::string bad : {"no colon", "Name : x", ": x", " folded: x", "\tfolded",
                                "Na\x01me: x", "Na\x7fme: x", "Na me: x"}) {
    EXPECT_EQ(read("X: y\r\n" + bad + "\r\n\r\n"), error(Errc::bad_head_line)) << bad;
  }
  EXPECT_EQ(read("X(A): a\rb\r\n\r\n"), error(Errc::bad_head_value));
}

TEST(CgiHeadReader, ControlBytesInValuesAreErrors) {
  EXPECT_EQ(read("X: a\rY: b\r\n\r\n"), error(Errc::bad_head_value));
  EXPECT_EQ(read(std::string("X: a\0b\r\n\r\n", 10)), error(Errc::bad_head_value));
  EXPECT_EQ(read("X: a\r\r\n\r\n"), error(Errc::bad_head_value));
  EXPECT_EQ(read("HTTP/1.1 200 a\rb\r\n\r\n"), error(Errc::bad_head_value));
}

TEST(CgiHeadReader, StatusIsThreeDigits) {
  for (const std::string bad : {"", "20", "099", "2000", "abc", "-20", "200OK", "+200"}) {
    EXPECT_EQ(read("Status: " + bad + "\r\n\r\n"), error(Errc::bad_status)) << bad;
  }
}

TEST(CgiHeadReader, LimitHoldsForTheWholeHead) {
  const std::string head = "Content-Type: text/plain\r\nX: y\r\n\r\n";
  const std::string ok = "status 200 [] length unknown Content-Type=text/plain X=y\nrest \n";
  EXPECT_EQ(read(head, head.size() + 1), ok);
  EXPECT_EQ(read(head, head.size()), ok);
  EXPECT_EQ(read(head, head.size() - 1), error(Errc::head_too_large));
  EXPECT_EQ(read(std::string(101, 'x'), 100), error(Errc::head_too_large));
}

TEST(CgiHeadReader, UnfinishedHeadWaits) {
  EXPECT_EQ(read("Content-Type: text/plain\r\nX: "), "incomplete\n");
}

TEST(CgiHeadReader, LargeFieldsPass) {
  const std::string value(60000, 'v');
  CgiHeadReader reader;
  EXPECT_EQ(reader.feed(as_bytes("X: " + value + "\r\n\r\n")), value.size() + 7);
  ASSERT_TRUE(reader.done());
  EXPECT_EQ(reader.head().fields.get("X"), value);
  EXPECT_EQ(reader.size(), value.size() + 7);
}

ResponseHead head(int status, const std::string& reason, const Pairs& fields = {}) {
  return {.status = status, .reason = reason, .fields = fields, .content_length = {}};
}

TEST(CgiHeadWriter, WritesStatusAndFields) {
  Pairs fields;
  fields.add("Content-Type", "text/plain");
  fields.add("Set-Cookie", "a");
  fields.add("Set-Cookie", "b");
  std::string cgi;
  write_cgi_head(head(404, "", fields), cgi);
  EXPECT_EQ(cgi,
            "Status: 404 Not Found\r\nContent-Type: text/plain\r\nSet-Cookie: a\r\n"
            "Set-Cookie: b\r\n\r\n");
  std::string http;
  write_http_head(head(299, "Fine"), http);
  EXPECT_EQ(http, "HTTP/1.1 299 Fine\r\n\r\n");
}

// HAProxy lets the later of the two say the status.
TEST(CgiHeadWriter, StatusIsBehindLocation) {
  for (const std::string name : {"Location", "location"}) {
    Pairs fields;
    fields.add("X", "y");
    fields.add(name, "/new");
    std::string cgi;
    write_cgi_head(head(201, "", fields), cgi);
    EXPECT_EQ(cgi, "X: y\r\n" + name + ": /new\r\nStatus: 201 Created\r\n\r\n");
    EXPECT_EQ(read(cgi), "status 201 [Created] length unknown X=y " + name + "=/new\nrest \n");
    std::string http;
    write_http_head(head(201, "", fields), http);
    EXPECT_EQ(http, "HTTP/1.1 201 Created\r\nX: y\r\n" + name + ": /new\r\n\r\n");
  }
}

TEST(CgiHeadWriter, NeverEmitsLineBreaksFromAValue) {
  Pairs fields;
  fields.add("X", std::string_view("a\r\nSet-Cookie: evil\0b", 21));
  fields.add("Bad\r\nName", "dropped");
  fields.add("Bad Name", "dropped");
  fields.add("", "dropped");
  std::string text;
  write_cgi_head(head(200, "O\r\nK", fields), text);
  EXPECT_EQ(text, "Status: 200 O  K\r\nX: a  Set-Cookie: evil b\r\n\r\n");
}

TEST(CgiHeadWriter, ReasonHasNoControlCharacters) {
  std::string reason;
  std::string clean;
  for (int c = 0; c < 256; ++c) {
    reason.push_back(static_cast<char>(c));
    clean.push_back((c < ' ' && c != '\t') || c == 0x7f ? ' ' : static_cast<char>(c));
  }
  std::string cgi;
  write_cgi_head(head(200, reason), cgi);
  EXPECT_EQ(cgi, "Status: 200 " + clean + "\r\n\r\n");
  std::string http;
  write_http_head(head(200, reason), http);
  EXPECT_EQ(http, "HTTP/1.1 200 " + clean + "\r\n\r\n");
}

TEST(CgiHeadWriter, ImpossibleStatusBecomes500) {
  for (const int status : {-1, 0, 99, 1000}) {
    std::string text;
    write_cgi_head(head(status, ""), text);
    EXPECT_EQ(text, "Status: 500 Internal Server Error\r\n\r\n") << status;
  }
}

TEST(CgiHeadWriter, ReaderUnderstandsWhatTheWriterWrites) {
  Pairs fields;
  fields.add("X-Utf8", "gr\xc3\xbc\xc3\x9f");
  fields.add("Content-Length", "3");
  for (const auto write : {write_cgi_head, write_http_head}) {
    std::string text;
    write(head(206, "Part", fields), text);
    EXPECT_EQ(read(text + "abc"),
              "status 206 [Part] length 3 X-Utf8=gr\\xc3\\xbc\\xc3\\x9f Content-Length=3\n"
              "rest abc\n");
  }
}

}  // namespace
}  // namespace viaduct::protocol
