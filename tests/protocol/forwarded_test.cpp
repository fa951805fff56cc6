#include "protocol/forwarded.hpp"

#include <algorithm>
#include <ctime>
#include <variant>

#include <gtest/gtest.h>

namespace viaduct::protocol {
namespace {

using Source = ForwardedSource;

constexpr ForwardedOptions kLists{Source::x_forwarded_for, true, true, true};
constexpr ForwardedOptions kElements{Source::forwarded, true, true, false};

const std::vector<PeerRule>& trusted() {
  static const std::vector<PeerRule> rules = {std::get<PeerRule>(parse_peer_rule("10.0.0.0/8")),
                                              std::get<PeerRule>(parse_peer_rule("fd00::/8"))};
  return rules;
}

Pairs pairs(std::initializer_list<Pairs::Item> fields) {
  Pairs params;
  for (const auto& [name, value] : fields) params.set(name, value);
  return params;
}

ForwardedFor read(const ForwardedOptions& options, std::initializer_list<Pairs::Item> fields) {
  return read_forwarded(options, trusted(), pairs(fields));
}

TEST(Forwarded, AddressOfXForwardedFor) {
  struct Row {
    const char* list;
    const char* address;
  };
  for (const Row& row :
       {Row{"192.0.2.1", "192.0.2.1"}, Row{"192.0.2.1, 10.0.0.2", "192.0.2.1"},
        Row{"6.6.6.6, 192.0.2.1,10.0.0.2 , fd12::1", "192.0.2.1"},
        Row{"10.0.0.1, 10.0.0.2", "10.0.0.1"}, Row{"2001:db8::1", "2001:db8::1"},
        Row{"[2001:db8::1]:4711", "2001:db8::1"}, Row{"192.0.2.1:4711", "192.0.2.1"}, Row{"", ""},
        Row{"unknown", ""}, Row{"192.0.2.1, unknown", ""},
        Row{"192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"}, Row{"192.0.2.1, ", "192.0.2.1"},
        Row{",,192.0.2.1,,10.0.0.2,", "192.0.2.1"}, Row{"::ffff:192.0.2.1", "192.0.2.1"},
        Row{"192.0.2.1, ::ffff:10.0.0.2", "192.0.2.1"}, Row{"\", 192.0.2.1", "192.0.2.1"},
        Row{"192.0.2.256", ""}, Row{"<script>", ""}, Row{"[2001:db8::1", ""}}) {
    const ForwardedFor said = read(kLists, {{"HTTP_X_FORWARDED_FOR", row.list}});
    EXPECT_EQ(said.address, row.address) << row.list;
    EXPECT_FALSE(said.contradictory) << row.list;
  }
}

TEST(Forwarded, AddressOfForwarded) {
  struct Row {
    const char* field;
    const char* address;
  };
  for (const Row& row :
       {Row{"for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"},
        Row{"For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"},
        Row{"for=\"[::ffff:192.0.2.1]\"", "192.0.2.1"},
        Row{"for=\"[::ffff:192.0.2.1]:80\", for=\"[::ffff:10.0.0.2]\"", "192.0.2.1"},
        Row{"for=192.0.2.43, for=10.1.1.1", "192.0.2.43"},
        Row{"for=192.0.2.43,, for=10.1.1.1,", "192.0.2.43"},
        Row{"for=6.6.6.6, for=192.0.2.43", "192.0.2.43"},
        Row{"for=\"1.1.1.1, for=2.2.2.2\", for=192.0.2.43", "192.0.2.43"},
        Row{"for=\"1.1.1.1, for=192.0.2.43", "192.0.2.43"},
        Row{"for=_hidden, for=10.0.0.1", "10.0.0.1"},
        Row{"for=192.0.2.1;for=192.0.2.2, for=10.0.0.1", "10.0.0.1"}, Row{"for=_gazonk", ""},
        Row{"proto=https", ""}, Row{"for=\"192.0.2.1", ""},
        Row{"for=\"192.0.2\\.1\"", "192.0.2.1"}}) {
    EXPECT_EQ(read(kElements, {{"HTTP_FORWARDED", row.field}, {"HTTP_X_FORWARDED_FOR", "9.9.9.9"}})
                  .address,
              row.address)
        << row.field;
  }
}

TEST(Forwarded, OneSourceIsReadAndNoOther) {
  const auto both = {Pairs::Item{"HTTP_FORWARDED", "for=6.6.6.6;proto=https;host=evil.example"},
                     {"HTTP_X_FORWARDED_FOR", "192.0.2.1"},
                     {"HTTP_X_REAL_IP", "7.7.7.7"}};
  EXPECT_EQ(read(kLists, both), (ForwardedFor{.address = "192.0.2.1"}));
  EXPECT_EQ(read(kElements, {{"HTTP_X_FORWARDED_FOR", "192.0.2.1"},
                             {"HTTP_X_FORWARDED_PROTO", "https"},
                             {"HTTP_X_FORWARDED_HOST", "evil.example"}}),
            ForwardedFor{});
}

// So many trusted hops, behind a client.
std::string chain(std::size_t hops, std::string_view before, std::string_view hop) {
  std::string list(before);
  for (std::size_t i = 0; i < hops; ++i) list.append(", ").append(hop);
  return list;
}

TEST(Forwarded, AtMost32HopsAreLookedAt) {
  for (const auto& [hops, address] : {std::pair{kMaxHops - 2, "192.0.2.1"},
                                      {kMaxHops - 1, "192.0.2.1"},
                                      {kMaxHops, "10.0.0.2"},
                                      {kMaxHops + 1, "10.0.0.2"}}) {
    EXPECT_EQ(
        read(kLists, {{"HTTP_X_FORWARDED_FOR", chain(hops, "192.0.2.1", "10.0.0.2")}}).address,
        address)
        << hops;
    const std::string elements = chain(hops, "for=192.0.2.1", "for=10.0.0.2");
    EXPECT_EQ(read(kElements, {{"HTTP_FORWARDED", elements}}).address, address) << hops;
  }
}

TEST(Forwarded, AListIsPairedWithTheAddresses) {
  struct Row {
    const char* addresses;
    const char* schemes;
    const char* scheme;
    bool contradictory;
  };
  for (const Row& row :
       {Row{"192.0.2.1", "https", "https", false},
        Row{"6.6.6.6, 192.0.2.1, 10.0.0.2", "https", "https", false},
        Row{"6.6.6.6, 192.0.2.1, 10.0.0.2", "https, http, https", "http", false},
        Row{"6.6.6.6, 192.0.2.1, 10.0.0.2", ",https,, HTTPS, http,", "https", false},
        Row{"6.6.6.6, 192.0.2.1", "https, http", "http", false},
        Row{"10.0.0.1, 10.0.0.2", "https, http", "https", false},
        Row{"192.0.2.1, unknown, 10.0.0.2", "http, https, http", "https", false},
        Row{"192.0.2.1", "https, http", "", true},
        Row{"192.0.2.1, 10.0.0.2", "https, http, http", "", true},
        Row{"192.0.2.1, 10.0.0.2, 10.0.0.3", "https, http", "", true},
        Row{"", "https", "https", false}, Row{"", "https, http", "", true},
        Row{"192.0.2.1", "", "", false}, Row{"192.0.2.1", ",", "", false},
        Row{"192.0.2.1", "javascript", "", false}}) {
    const ForwardedFor said = read(
        kLists, {{"HTTP_X_FORWARDED_FOR", row.addresses}, {"HTTP_X_FORWARDED_PROTO", row.schemes}});
    EXPECT_EQ(said.scheme, row.scheme) << row.addresses << " | " << row.schemes;
    EXPECT_EQ(said.contradictory, row.contradictory) << row.addresses << " | " << row.schemes;
  }
}

// Any of the three fields, beside lists of no address to more than are looked at.
TEST(Forwarded, ListsOfAnotherLengthAreContradictory) {
  struct Part {
    const char* field;
    const char* value;
    std::string ForwardedFor::*said;
  };
  for (const Part& part : {Part{"HTTP_X_FORWARDED_PROTO", "https", &ForwardedFor::scheme},
                           Part{"HTTP_X_FORWARDED_HOST", "a.test", &ForwardedFor::host},
                           Part{"HTTP_X_FORWARDED_PORT", "81", &ForwardedFor::port}}) {
    for (const std::size_t addresses : {std::size_t{0}, std::size_t{1}, std::size_t{2},
                                        std::size_t{3}, kMaxHops - 1, kMaxHops, kMaxHops + 1}) {
      for (const std::size_t values : {std::size_t{0}, std::size_t{1}, std::size_t{2},
                                       std::size_t{3}, addresses - 1, addresses, addresses + 1}) {
        if (values > kMaxHops + 2) continue;  // one less than none
        const auto list = [](std::size_t count, const char* value) {
          std::string text;
          for (std::size_t i = 0; i < count; ++i) text.append(value).append(", ");
          return text;
        };
        const ForwardedFor said =
            read(kLists, {{"HTTP_X_FORWARDED_FOR", list(addresses, "10.0.0.2")},
                          {part.field, list(values, part.value)}});
        const bool odd = values > 1 && values != addresses;
        EXPECT_EQ(said.contradictory, odd) << part.field << addresses << " " << values;
        EXPECT_EQ(said.*part.said, odd || values == 0 ? "" : part.value)
            << part.field << addresses << " " << values;
      }
    }
  }
}

// The place is counted from the right, and no farther than addresses are looked at.
TEST(Forwarded, TheValueOfTheFarthestHopCounts) {
  for (const auto& [hops, port] : {std::pair{kMaxHops - 1, "1"}, {kMaxHops, "2"}}) {
    std::string ports = "1, 2";
    for (std::size_t i = 1; i < hops; ++i) ports += ", 3";
    const ForwardedFor said =
        read(kLists, {{"HTTP_X_FORWARDED_FOR", chain(hops, "192.0.2.1", "10.0.0.2")},
                      {"HTTP_X_FORWARDED_PORT", ports}});
    EXPECT_EQ(said.port, port) << hops;
    EXPECT_FALSE(said.contradictory);
  }
}

TEST(Forwarded, HostAndPortArePairedLikewise) {
  const ForwardedFor said = read(kLists, {{"HTTP_X_FORWARDED_FOR", "192.0.2.1, 10.0.0.2"},
                                          {"HTTP_X_FORWARDED_HOST", "www.example.org:8443, inner"},
                                          {"HTTP_X_FORWARDED_PORT", "8443, 80"}});
  EXPECT_EQ(said.host, "www.example.org:8443");
  EXPECT_EQ(said.port, "8443");
  EXPECT_TRUE(read(kLists, {{"HTTP_X_FORWARDED_HOST", "a, b"}}).contradictory);
  EXPECT_TRUE(read(kLists, {{"HTTP_X_FORWARDED_PORT", "1, 2"}}).contradictory);
}

TEST(Forwarded, AnElementHasItsOwnSchemeAndHost) {
  const auto of = [](const char* field) { return read(kElements, {{"HTTP_FORWARDED", field}}); };
  EXPECT_EQ(of("host=evil.test, for=10.0.0.1;host=\"a.test:81\";proto=http"),
            (ForwardedFor{"10.0.0.1", "", "evil.test", ""}))
      << "the client's element does not name it";
  EXPECT_EQ(of("for=6.6.6.6;proto=https;host=evil.test, for=192.0.2.1"),
            (ForwardedFor{.address = "192.0.2.1"}));
  EXPECT_EQ(of("for=192.0.2.1;proto=HTTPS;host=a.test, for=10.0.0.1;proto=http;host=b"),
            (ForwardedFor{"192.0.2.1", "https", "a.test", ""}));
  EXPECT_EQ(of("for=192.0.2.1;proto=http;proto=https"), (ForwardedFor{.contradictory = true}));
}

TEST(Forwarded, PartsAreOptedInOneByOne) {
  const auto all = {Pairs::Item{"HTTP_X_FORWARDED_FOR", "192.0.2.1"},
                    {"HTTP_X_FORWARDED_PROTO", "https"},
                    {"HTTP_X_FORWARDED_HOST", "a.test"},
                    {"HTTP_X_FORWARDED_PORT", "81"},
                    {"HTTP_FORWARDED", "for=192.0.2.1;proto=https;host=a.test"}};
  EXPECT_EQ(read({Source::x_forwarded_for}, all), (ForwardedFor{"192.0.2.1", "", "", ""}));
  EXPECT_EQ(read({Source::x_forwarded_for, true}, all),
            (ForwardedFor{"192.0.2.1", "", "a.test", ""}));
  EXPECT_EQ(read({Source::x_forwarded_for, false, true}, all),
            (ForwardedFor{"192.0.2.1", "https", "", ""}));
  EXPECT_EQ(read({Source::x_forwarded_for, false, false, true}, all),
            (ForwardedFor{"192.0.2.1", "", "", "81"}));
  EXPECT_EQ(read({Source::forwarded}, all), (ForwardedFor{"192.0.2.1", "", "", ""}));
  EXPECT_EQ(read({Source::forwarded, true}, all), (ForwardedFor{"192.0.2.1", "", "a.test", ""}));
  EXPECT_EQ(read({Source::forwarded, false, true}, all),
            (ForwardedFor{"192.0.2.1", "https", "", ""}));
  EXPECT_FALSE(read({Source::x_forwarded_for}, {{"HTTP_X_FORWARDED_HOST", "a, b"}}).contradictory);
}

TEST(Forwarded, NonsenseIsIgnored) {
  for (const char* const host : {"a b", "a\"b", "a/b", "<a>", "a@b", ""}) {
    EXPECT_EQ(read(kLists, {{"HTTP_X_FORWARDED_HOST", host}}).host, "") << host;
  }
  for (const char* const port :
       {"", "x", "-1", "123456", "80 80", "65536", "000080", "4294967297"}) {
    EXPECT_EQ(read(kLists, {{"HTTP_X_FORWARDED_PORT", port}}).port, "") << port;
  }
  EXPECT_EQ(read(kLists, {{"HTTP_X_FORWARDED_PORT", "65535"}}).port, "65535");
}

Pairs served() {
  return pairs({{"REMOTE_ADDR", "10.0.0.1"},
                {"REMOTE_PORT", "1234"},
                {"SERVER_NAME", "inner"},
                {"SERVER_PORT", "8080"},
                {"HTTP_HOST", "inner:8080"},
                {"REQUEST_SCHEME", "http"}});
}

Pairs applied(const ForwardedFor& forwarded) {
  Pairs params = served();
  apply_forwarded(forwarded, params);
  return params;
}

TEST(Forwarded, BecomesVariables) {
  const auto params = applied({"192.0.2.1", "https", "www.example.org", ""});
  EXPECT_EQ(params.get("REMOTE_ADDR"), "192.0.2.1");
  EXPECT_EQ(params.get("REMOTE_PORT"), std::nullopt);
  EXPECT_EQ(params.get("REQUEST_SCHEME"), "https");
  EXPECT_EQ(params.get("HTTPS"), "on");
  EXPECT_EQ(params.get("HTTP_HOST"), "www.example.org");
  EXPECT_EQ(params.get("SERVER_NAME"), "www.example.org");
  EXPECT_EQ(params.get("SERVER_PORT"), "443");
}

TEST(Forwarded, ThePortIsSaidOrThatOfTheHost) {
  EXPECT_EQ(applied({"", "", "a.test:81", ""}).get("SERVER_PORT"), "81");
  EXPECT_EQ(applied({"", "https", "a.test:81", "82"}).get("SERVER_PORT"), "82");
  EXPECT_EQ(applied({"", "http", "[::1]", ""}).get("SERVER_PORT"), "80");
  EXPECT_EQ(applied({"", "http", "[::1]:83", ""}).get("SERVER_NAME"), "[::1]");
  EXPECT_EQ(applied({"", "", "a.test:65536", ""}).get("SERVER_PORT"), "8080");
}

TEST(Forwarded, NothingSaidChangesNothing) {
  EXPECT_EQ(applied({}).encoded(), served().encoded());
}

constexpr std::initializer_list<const char*> kFamily = {
    "HTTP_FORWARDED",        "HTTP_X_FORWARDED_FOR",    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",   "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_FORWARDED_BY",   "HTTP_X_FORWARDED_SCHEME", "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",        "HTTP_FRONT_END_HTTPS"};

TEST(Forwarded, TheWholeFamilyIsErasedAndNothingElse) {
  const auto others = {"HTTP_X",
                       "F",
                       "",
                       "HTTP_XFORWARDED_FOR",
                       "HTTP_X_FORWARDED",
                       "HTTP_X_FORWARDED_PROTOCOL",
                       "HTTP_FROM",
                       "HTTP_X_REAL_IPS",
                       "HTTP_X_REQUESTED_WITH",
                       "REMOTE_ADDR"};
  Pairs params;
  for (const char* const name : others) params.add(name, "kept");
  for (const char* const name : kFamily) {
    params.add(name, "once");
    params.add(name, "twice");
  }
  erase_forwarded(params);
  EXPECT_EQ(params.size(), others.size());
  for (const char* const name : others) EXPECT_EQ(params.get(name), "kept") << name;
  Pairs plain = served();
  erase_forwarded(plain);
  EXPECT_EQ(plain.encoded(), served().encoded());
}

TEST(SettleClient, PassLeavesEverythingAlone) {
  Pairs params = pairs({{"REMOTE_ADDR", "10.0.0.1"}, {"HTTP_X_FORWARDED_FOR", "192.0.2.1"}});
  const auto before = std::string(*params.encoded());
  EXPECT_FALSE(settle_client({Source::pass}, trusted(), true, params));
  EXPECT_EQ(params.encoded(), before);
}

TEST(SettleClient, NobodyIsBelievedWhoIsNotTrusted) {
  struct Row {
    Source source;
    bool trusted;
    const char* front;
    const char* address;
  };
  for (const Row& row : {Row{Source::none, true, "10.0.0.1", "10.0.0.1"},
                         Row{Source::x_forwarded_for, false, "10.0.0.1", "10.0.0.1"},
                         Row{Source::x_forwarded_for, true, "10.0.0.1", "192.0.2.1"},
                         Row{Source::x_forwarded_for, true, "unix:", "192.0.2.1"},
                         Row{Source::x_forwarded_for, true, "", "192.0.2.1"},
                         // A front server has said who the client is, and that it is no proxy.
                         Row{Source::x_forwarded_for, true, "198.51.100.7", "198.51.100.7"}}) {
    Pairs params = pairs({{"REMOTE_ADDR", row.front}});
    for (const char* const name : kFamily) params.set(name, "192.0.2.1");
    EXPECT_FALSE(settle_client({row.source}, trusted(), row.trusted, params));
    EXPECT_EQ(params.get("REMOTE_ADDR"), row.address);
    EXPECT_EQ(params.size(), 1u) << "the fields are gone in any case";
  }
}

TEST(SettleClient, SaysThatSomethingContradicts) {
  Pairs params = pairs({{"HTTP_X_FORWARDED_FOR", "192.0.2.1"}, {"HTTP_X_FORWARDED_PROTO", "a, b"}});
  EXPECT_TRUE(settle_client(kLists, trusted(), true, params));
  EXPECT_EQ(params.get("REMOTE_ADDR"), "192.0.2.1");
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Processor time in which a field of that size is read, at best: another load changes it little.
double seconds_for(const ForwardedOptions& options, std::string_view name, std::string_view piece,
                   std::size_t size) {
  std::string value = "\"";
  while (value.size() < size) value.append(piece);
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    Pairs params;
    params.add(name, value);
    const double begin = cpu_seconds();
    settle_client(options, trusted(), true, params);
    best = std::min(best, cpu_seconds() - begin);
  }
  return best;
}

TEST(SettleClient, IsLinearInTheField) {
  constexpr std::size_t kSize = 64 * 1024;
  for (const char* const piece :
       {";", ",", "\"", "\\", "\\\"", "a=;", "for=1;", "for=10.0.0.1,", ",\"", "10.0.0.1,", " "}) {
    for (const auto& [options, name] : {std::pair{kElements, "HTTP_FORWARDED"},
                                        {kLists, "HTTP_X_FORWARDED_FOR"},
                                        {kLists, "HTTP_X_FORWARDED_PROTO"}}) {
      const double once = seconds_for(options, name, piece, kSize);
      const double eight = seconds_for(options, name, piece, 8 * kSize);
      // A quadratic one takes 64 times as long.
      EXPECT_LT(eight, 30 * once + 0.001) << name << " " << piece;
    }
  }
}

}  // namespace
}  // namespace viaduct::protocol
