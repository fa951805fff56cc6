#include "tests/support/smuggling.hpp"

namespace viaduct::test {
namespace {

const std::string kHost = "Host: h\r\n";

std::string zero(std::string text) {
  for (char& c : text) c = c == '\1' ? '\0' : c;
  return text;
}

// A request line as it stands, with a Host and a request behind it.
std::string line(const std::string& text) {
  return text + "\r\n" + kHost + "\r\n" + kSmuggled;
}

// A sound request line, Host, and what follows it.
std::string fields(const std::string& text) {
  return "GET / HTTP/1.1\r\n" + kHost + text + "\r\n\r\n" + kSmuggled;
}

std::string host(const std::string& text) {
  return "GET / HTTP/1.1\r\n" + text + "\r\n\r\n" + kSmuggled;
}

const std::vector<std::string> kBoth = {"GET / ", "GET /smuggled "};

std::vector<Smuggling> request_lines() {
  return {
      {"Http09", "GET /\r\n" + kSmuggled, {}, 400},
      {"Http09Version", line("GET / HTTP/0.9"), {}, 505},
      {"Http12", line("GET / HTTP/1.2"), kBoth},
      {"Http19", line("GET / HTTP/1.9"), kBoth},
      {"Http20", line("GET / HTTP/2.0"), {}, 505},
      {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + kSmuggled, {}, 505},
      {"VersionInLowerCase", line("GET / http/1.1"), {}, 400},
      {"VersionOfThreeDigits", line("GET / HTTP/1.10"), {}, 400},
      {"VersionWithZeroInFront", line("GET / HTTP/01.1"), {}, 400},
      {"VersionWithComma", line("GET / HTTP/1,1"), {}, 400},
      {"VersionOfAnotherName", line("GET / ICY/1.1"), {}, 400},
      {"VersionTwice", line("GET / HTTP/1.1 HTTP/1.1"), {}, 400},
      {"SpaceBehindVersion", line("GET / HTTP/1.1 "), {}, 400},
      {"TwoSpacesInFrontOfTarget", line("GET  / HTTP/1.1"), {}, 400},
      {"TwoSpacesInFrontOfVersion", line("GET /  HTTP/1.1"), {}, 400},
      {"TabBehindMethod", line("GET\t/ HTTP/1.1"), {}, 400},
      {"TabInFrontOfVersion", line("GET /\tHTTP/1.1"), {}, 400},
      {"VerticalTabBehindMethod", line("GET\v/ HTTP/1.1"), {}, 400},
      {"SpaceInFrontOfMethod", line(" GET / HTTP/1.1"), {}, 400},
      {"TabInFrontOfMethod", line("\tGET / HTTP/1.1"), {}, 400},
      {"SpaceInMethod", line("GE T / HTTP/1.1"), {}, 400},
      {"MethodWithBrackets", line("G(T) / HTTP/1.1"), {}, 400},
      {"MethodWithNul", zero(line("GE\1T / HTTP/1.1")), {}, 400},
      {"NoMethod", line("/ HTTP/1.1"), {}, 400},
      {"MethodOfAnotherKind", line("get / HTTP/1.1"), {"get / ", "GET /smuggled "}},
      {"LineFeedInFront", "\n" + line("GET / HTTP/1.1"), {}, 400},
      {"CarriageReturnInFront", "\r" + line("GET / HTTP/1.1"), {}, 400},
      {"BlankLineInFront", "\r\n" + line("GET / HTTP/1.1"), kBoth},
      {"LineFeedsOnly", "GET / HTTP/1.1\nHost: h\n\n" + kSmuggled, {}, 400},
      {"CarriageReturnsOnly", "GET / HTTP/1.1\rHost: h\r\r" + kSmuggled, {}, 400},
      {"LineFeedEndsRequestLine", "GET / HTTP/1.1\nHost: h\r\n\r\n" + kSmuggled, {}, 400},
      {"TwoCarriageReturns", line("GET / HTTP/1.1\r"), {}, 400},
      {"NulBehindVersion", zero(line("GET / HTTP/1.1\1")), {}, 400},
      {"TlsHello", zero("\x16\x03\x01\2\1\1\xfc\x03\x03") + kSmuggled, {}, 400},
  };
}

std::vector<Smuggling> targets() {
  const std::string end = " HTTP/1.1";
  return {
      {"TargetWithSpace", line("GET /a b" + end), {}, 400},
      {"TargetWithFragment", line("GET /a#b" + end), {}, 400},
      {"TargetWithControl", line("GET /\x0b" + end), {}, 400},
      {"TargetWithBareLineFeed", line("GET /\nX: y" + end), {}, 400},
      {"TargetWithoutSlash", line("GET a" + end), {}, 400},
      {"TargetOfHalfAnEscape", line("GET /%2" + end), {}, 400},
      {"TargetOfNoEscape", line("GET /%zz" + end), {}, 400},
      {"TargetWithEscapedNul", line("GET /%00" + end), {}, 400},
      {"TargetWithEscapedLineEnd",
       "GET /%0d%0aX:%20y HTTP/1.1\r\n" + kHost + "\r\n",
       {"GET /%0d%0aX:%20y "},
       0,
       {"PATH_INFO=/\r\nX: y", "!HTTP_X"}},
      {"TargetStar", line("GET *" + end), {}, 400},
      {"TargetAuthority", line("CONNECT h:80" + end), {}, 400},
      {"TargetOfAnotherScheme", line("GET ftp://h/" + end), {}, 400},
      {"TargetWithoutAuthority", line("GET http:///" + end), {}, 400},
      {"TargetWithUser", line("GET http://user@h/" + end), {}, 400},
      {"TargetAuthorityWithBackslash", line("GET http://h\\evil/" + end), {}, 400},
      {"TargetAuthorityWithTwoPorts", line("GET http://h:80:81/" + end), {}, 400},
      {"TargetAuthorityWithPortOfLetters", line("GET http://h:8o/" + end), {}, 400},
      {"AbsoluteTargetAgainstHost",
       "GET http://one/a HTTP/1.1\r\nHost: two\r\n\r\n",
       {"GET /a "},
       0,
       {"HTTP_HOST=one", "SERVER_NAME=one", "PATH_INFO=/a"}},
      {"TwoSlashesAreNoAuthority",
       "GET //one/a HTTP/1.1\r\nHost: two\r\n\r\n",
       {"GET //one/a "},
       0,
       {"HTTP_HOST=two", "PATH_INFO=//one/a"}},
  };
}

std::vector<Smuggling> field_lines() {
  const std::string two = "X-Real: 1\r\nX_Real: 2";
  return {
      {"SpaceInFrontOfColon", fields("X : y"), {}, 400},
      {"TabInFrontOfColon", fields("X\t: y"), {}, 400},
      {"NoColon", fields("X"), {}, 400},
      {"NoName", fields(": y"), {}, 400},
      {"NameWithSpace", fields("X Y: z"), {}, 400},
      {"NameWithControl", fields("X\x01: y"), {}, 400},
      {"NameWithNul", zero(fields("X\1: y")), {}, 400},
      {"NameWithHighByte", fields("\xffX: y"), {}, 400},
      {"NameWithBracket", fields("X(: y"), {}, 400},
      {"ValueWithNul", zero(fields("X: a\1b")), {}, 400},
      {"ValueWithBareLineFeed", fields("X: a\nY: b"), {}, 400},
      {"ValueWithBareCarriageReturn", fields("X: a\rY: b"), {}, 400},
      {"ValueWithControl", fields("X: a\x0b"), {}, 400},
      {"FoldedBySpace", fields("X: a\r\n b"), {}, 400},
      {"FoldedByTab", fields("X: a\r\n\tb"), {}, 400},
      {"FirstFieldFolded", "GET / HTTP/1.1\r\n Host: h\r\n\r\n" + kSmuggled, {}, 400},
      {"LineOfBlanks", fields("X: a\r\n \r\nY: b"), {}, 400},
      {"LineFeedEndsHead", "GET / HTTP/1.1\r\n" + kHost + "\n" + kSmuggled, {}, 400},
      {"TwoLineFeedsEndHead", "GET / HTTP/1.1\r\nHost: h\n\n" + kSmuggled, {}, 400},
      {"UnderscoreForHyphen", fields(two), kBoth},
      {"UnderscoreForHyphenAlone",
       "GET / HTTP/1.1\r\n" + kHost + two + "\r\n\r\n",
       {"GET / "},
       0,
       {"HTTP_X_REAL=1"}},
      {"DotForHyphen",
       "GET / HTTP/1.1\r\n" + kHost + "X.Real: 2\r\n\r\n",
       {"GET / "},
       0,
       {"!HTTP_X_REAL", "!HTTP_X.REAL"}},
      {"Httpoxy",
       "GET / HTTP/1.1\r\n" + kHost + "Proxy: http://evil/\r\n\r\n",
       {"GET / "},
       0,
       {"!HTTP_PROXY"}},
      {"VariablesAreNoFields",
       "GET / HTTP/1.1\r\n" + kHost + "Remote-Addr: 6\r\nREMOTE_ADDR: 6\r\nHttps: on\r\n\r\n",
       {"GET / "},
       0,
       {"!HTTPS", "HTTP_REMOTE_ADDR=6", "HTTP_HTTPS=on"}},
      {"UpgradeIsNotTaken",
       fields("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMA"),
       kBoth},
      {"PrefaceBehindUpgrade",
       "GET / HTTP/1.1\r\n" + kHost +
           "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
       {"GET / "},
       505},
      {"ClosedBehindTheFirst", fields("Connection: close"), {"GET / "}, 200},
      {"KeptAndClosed", fields("Connection: keep-alive, close"), {"GET / "}, 200},
      {"Http10IsNotKept", "GET / HTTP/1.0\r\n" + kHost + "\r\n" + kSmuggled, {"GET / "}, 200},
      {"UnknownExpectation", fields("Expect: 200-ok"), {}, 417},
      {"ExpectationWithMore", fields("Expect: y 100-continue"), {}, 417},
      {"HeadOverTheLimit", fields("X: " + std::string(70'000, 'x')), {}, 431},
      {"RequestLineOverTheLimit", line("GET /" + std::string(70'000, 'x') + " HTTP/1.1"), {}, 431},
      {"FieldsBeyondTheirNumber",
       [] {
         std::string many;
         for (int i = 0; i < 1100; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
         return fields(many + "X: y");
       }(),
       {},
       431},
  };
}

std::vector<Smuggling> hosts() {
  return {
      {"NoHost", host("X: y"), {}, 400},
      {"TwoHosts", host("Host: a\r\nHost: b"), {}, 400},
      {"TheSameHostTwice", host("Host: a\r\nhost: a"), {}, 400},
      {"HostWithSpace", host("Host: a b"), {}, 400},
      {"HostWithTab", host("Host: a\tb"), {}, 400},
      {"HostWithPath", host("Host: a/b"), {}, 400},
      {"HostWithQuery", host("Host: a?b"), {}, 400},
      {"HostWithUser", host("Host: a@b"), {}, 400},
      {"HostWithTwoPorts", host("Host: a:80:81"), {}, 400},
      {"HostWithPortOfLetters", host("Host: a:8o"), {}, 400},
      {"HostWithNul", zero(host("Host: a\1b")), {}, 400},
      {"HostWithSpaceInFrontOfColon", host("Host : a"), {}, 400},
      {"HostFolded", host("Host:\r\n a"), {}, 400},
      {"HostWithAnotherBehindBareLineFeed", host("Host: a\nHost: b"), {}, 400},
      {"HostWithUnderscore",
       "GET / HTTP/1.1\r\nHost: a\r\nHTTP_HOST: b\r\nHTTP-Host: c\r\n\r\n",
       {"GET / "},
       0,
       {"HTTP_HOST=a", "HTTP_HTTP_HOST=c"}},
  };
}

}  // namespace

std::vector<Smuggling> smuggled_in_heads() {
  std::vector<Smuggling> all = request_lines();
  for (auto part : {targets(), field_lines(), hosts()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace viaduct::test
