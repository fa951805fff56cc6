#include "protocol/forwarded_field.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::string_view_literals;
using Commas = ReverseList::Commas;

std::vector<std::string> elements(std::string_view text, Commas commas = Commas::separate) {
  std::vector<std::string> all;
  ReverseList list(text, commas);
  for (auto element = list.next(); element; element = list.next()) all.emplace_back(*element);
  EXPECT_EQ(list.next(), std::nullopt);
  return all;
}

TEST(ReverseList, TheLastElementIsFirst) {
  EXPECT_THAT(elements("a, b\t,c"), ElementsAre("c", "b", "a"));
  EXPECT_THAT(elements("a"), ElementsAre("a"));
}

TEST(ReverseList, EmptyElementsAreLeftOut) {
  EXPECT_THAT(elements(""), IsEmpty());
  EXPECT_THAT(elements(" , ,\t,"), IsEmpty());
  EXPECT_THAT(elements(",a,,b, "), ElementsAre("b", "a"));
}

TEST(ReverseList, QuotesProtectCommasWhereTheyMay) {
  EXPECT_THAT(elements("\"a,b\",c"), ElementsAre("c", "b\"", "\"a"));
  EXPECT_THAT(elements("x=\"a,b\",c", Commas::may_stand_quoted), ElementsAre("c", "x=\"a,b\""));
  EXPECT_THAT(elements(R"(c,x="a\",\\",d)", Commas::may_stand_quoted),
              ElementsAre("d", R"(x="a\",\\")", "c"));
}

TEST(ReverseList, AQuoteWithoutAnEndHarmsNoElementToTheRight) {
  for (const char* const sent :
       {"for=\"6.6.6.6", "for=\"6.6.6.6\\", "\"", "a=\"\\\"", "a=\"b\"c\""}) {
    const std::string text = std::string(sent) + ", for=1.2.3.4, for=\"[::1]:2\"";
    const auto all = elements(text, Commas::may_stand_quoted);
    ASSERT_GE(all.size(), 2u) << text;
    EXPECT_EQ(all[0], "for=\"[::1]:2\"");
    EXPECT_EQ(all[1], "for=1.2.3.4");
  }
}

TEST(ForwardedElement, HasItsParameters) {
  struct Row {
    std::string_view text;
    ForwardedElement element;
  };
  for (const Row& row :
       {Row{"for=192.0.2.1", {"192.0.2.1", "", ""}},
        Row{"FOR=a;Proto=b;hOST=c;by=d", {"a", "b", "c"}},
        Row{" for=a ; proto=b ;; ;", {"a", "b", ""}},
        Row{"for=\"a;proto=x\";proto=b", {"\"a;proto=x\"", "b", ""}},
        Row{R"(for="a\";proto=x";proto=b)", {R"("a\";proto=x")", "b", ""}}, Row{"", {}},
        Row{";;;", {}}, Row{"for", {}}, Row{"for =a", {}},
        Row{"proto=a;proto=b", {"", "b", "", true}}, Row{"for=a;FOR=a", {"a", "", "", true}}}) {
    EXPECT_EQ(parse_forwarded_element(row.text), row.element) << row.text;
  }
}

TEST(ForwardedNode, IsAnAddressPossiblyWithAPort) {
  struct Row {
    std::string_view node;
    std::string_view address;
  };
  for (const Row& row :
       {Row{"192.0.2.1", "192.0.2.1"}, Row{"192.0.2.1:80", "192.0.2.1"},
        Row{"192.0.2.1:_x", "192.0.2.1"}, Row{"[2001:db8::1]", "2001:db8::1"},
        Row{"[2001:db8::1]:80", "2001:db8::1"}, Row{"2001:DB8::1", "2001:db8::1"},
        Row{"::ffff:192.0.2.1", "192.0.2.1"}, Row{"[::ffff:192.0.2.1]:80", "192.0.2.1"}}) {
    const auto address = parse_forwarded_node(row.node);
    ASSERT_TRUE(address) << row.node;
    EXPECT_EQ(format_ip(*address), row.address);
  }
  for (const std::string_view node :
       {""sv, "unknown"sv, "_proxy"sv, "192.0.2.256"sv, "192.0.2.1:"sv, "192.0.2.1:8 0"sv,
        "[2001:db8::1"sv, "[2001:db8::1]x"sv, "[2001:db8::1]:"sv, "[192.0.2.1]"sv, "<script>"sv,
        "192.0.2.1\0"sv, "192.0.2.1\0<script>"sv, "[::1\0]"sv}) {
    EXPECT_EQ(parse_forwarded_node(node), std::nullopt) << node;
  }
}

TEST(Unquote, RemovesQuotesAndEscapes) {
  EXPECT_EQ(unquote("a"), "a");
  EXPECT_EQ(unquote("\"a\""), "a");
  EXPECT_EQ(unquote(R"("a\"b\\")"), R"(a"b\)");
  EXPECT_EQ(unquote("\"a"), "\"a");
  EXPECT_EQ(unquote("\""), "\"");
  EXPECT_EQ(unquote("\"\""), "");
}

}  // namespace
}  // namespace viaduct::protocol
