#include "protocol/proxy_header.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/http_trace.hpp"

namespace viaduct::protocol {
namespace {

using State = ProxyHeaderReader::State;

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string binary(unsigned char command, unsigned char family, const std::string& rest,
                   std::size_t length) {
  return kSignature + static_cast<char>(command) + static_cast<char>(family) +
         static_cast<char>(length >> 8) + static_cast<char>(length & 0xff) + rest;
}

std::string binary(unsigned char command, unsigned char family, const std::string& rest) {
  return binary(command, family, rest, rest.size());
}

const std::string kTcp4("\xc0\x00\x02\x01\xc6\x33\x64\x02\x13\x88\x01\xbb", 12);

// The reader's state after these bytes, however they are cut; `taken` of them at most.
State read(const std::string& bytes, ProxyHeader* header = nullptr, std::size_t* taken = nullptr) {
  ProxyHeaderReader whole;
  const std::size_t took = whole.feed(bytes);
  ProxyHeaderReader cut;
  std::size_t took_cut = 0;
  for (const char c : bytes) took_cut += cut.feed(std::string_view(&c, 1));
  EXPECT_EQ(whole.state(), cut.state());
  EXPECT_EQ(whole.header(), cut.header());
  EXPECT_EQ(took, took_cut);
  if (header != nullptr) *header = whole.header();
  if (taken != nullptr) *taken = took;
  return whole.state();
}

TEST(ProxyHeader, Lines) {
  struct Row {
    const char* line;
    State state;
    ProxyHeader header;
  };
  const ProxyHeader none;
  for (const Row& row :
       {Row{"PROXY TCP4 192.0.2.1 198.51.100.2 5000 443\r\n",
            State::done,
            {"192.0.2.1", "5000", "198.51.100.2", "443"}},
        Row{"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n",
            State::done,
            {"2001:db8::1", "1", "2001:db8::2", "65535"}},
        Row{"PROXY UNKNOWN\r\n", State::done, none},
        Row{"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", State::done, none},
        Row{"PROXY TCP4 192.0.2.1 198.51.100.2 5000 65536\r\n", State::bad, none},
        Row{"PROXY TCP4 192.0.2.1 198.51.100.2 5000\r\n", State::bad, none},
        Row{"PROXY TCP4 192.0.2.1 198.51.100.2 5000 443 1\r\n", State::bad, none},
        Row{"PROXY TCP4  192.0.2.1 198.51.100.2 5000 443\r\n", State::bad, none},
        Row{"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", State::bad, none},
        Row{"PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n", State::bad, none},
        Row{"PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n", State::bad, none},
        Row{"PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n", State::bad, none},
        Row{"PROXY TCP4 192.0.2.1", State::reading, none}, Row{"PROX", State::reading, none},
        Row{"GET / HTTP/1.1\r\n", State::absent, none}, Row{"PROXYGET", State::absent, none},
        Row{"\r\nGET", State::absent, none}}) {
    ProxyHeader header;
    EXPECT_EQ(read(row.line, &header), row.state) << row.line;
    EXPECT_EQ(header, row.header) << row.line;
  }
}

TEST(ProxyHeader, ALineHasAtMost107Bytes) {
  const std::string start = "PROXY UNKNOWN ";
  EXPECT_EQ(read(start + std::string(107 - 2 - start.size(), 'x') + "\r\n"), State::done);
  EXPECT_EQ(read(start + std::string(107 - 1 - start.size(), 'x') + "\r\n"), State::bad);
}

TEST(ProxyHeader, AnAddressWithNulIsNone) {
  const std::string nul(1, '\0');
  EXPECT_EQ(read("PROXY TCP4 192.0.2.1" + nul + "x 198.51.100.2 5000 443\r\n"), State::bad);
  EXPECT_EQ(read("PROXY TCP4 192.0.2.1 198.51.100.2" + nul + " 5000 443\r\n"), State::bad);
  EXPECT_EQ(read("PROXY TCP6 ::1" + nul + " ::2 5000 443\r\n"), State::bad);
}

TEST(ProxyHeader, Binary) {
  ProxyHeader header;
  EXPECT_EQ(read(binary(0x21, 0x11, kTcp4), &header), State::done);
  EXPECT_EQ(header, (ProxyHeader{"192.0.2.1", "5000", "198.51.100.2", "443"}));
  std::string ipv6(32, '\0');
  ipv6[15] = 1;
  ipv6[31] = 2;
  ipv6 += std::string("\x00\x50\x01\xbb", 4);
  EXPECT_EQ(read(binary(0x21, 0x21, ipv6), &header), State::done);
  EXPECT_EQ(header, (ProxyHeader{"::1", "80", "::2", "443"}));
  for (const auto& local : {binary(0x20, 0x11, kTcp4), binary(0x20, 0x00, "")}) {
    EXPECT_EQ(read(local, &header), State::done);
    EXPECT_EQ(header, ProxyHeader{.local = true});
  }
  for (const auto& other : {binary(0x21, 0x00, ""), binary(0x21, 0x31, std::string(216, 'x'))}) {
    EXPECT_EQ(read(other, &header), State::done);
    EXPECT_EQ(header, ProxyHeader());
  }
}

TEST(ProxyHeader, WhatComesBehindIsNotTaken) {
  std::size_t taken = 0;
  EXPECT_EQ(read(binary(0x21, 0x11, kTcp4 + "additions") + "GET", nullptr, &taken), State::done);
  EXPECT_EQ(taken, 16 + kTcp4.size() + 9);
  EXPECT_EQ(read("PROXY UNKNOWN\r\nGET", nullptr, &taken), State::done);
  EXPECT_EQ(taken, 15u);
}

TEST(ProxyHeader, MalformedBinary) {
  EXPECT_EQ(read(binary(0x11, 0x11, kTcp4)), State::bad) << "another version";
  EXPECT_EQ(read(binary(0x22, 0x11, kTcp4)), State::bad) << "another command";
  EXPECT_EQ(read(binary(0x21, 0x11, kTcp4.substr(1))), State::bad) << "too short";
  EXPECT_EQ(read(binary(0x21, 0x21, kTcp4)), State::bad) << "too short";
}

TEST(ProxyHeader, TheLimitHolds) {
  const std::size_t most = ProxyHeaderReader::kMaxSize - 16;
  for (const std::size_t size : {most - 1, most}) {
    EXPECT_EQ(read(binary(0x21, 0x11, kTcp4 + std::string(size - kTcp4.size(), 'x'))), State::done);
  }
  EXPECT_EQ(read(binary(0x21, 0x11, "", most + 1)), State::bad);
}

}  // namespace
}  // namespace viaduct::protocol
