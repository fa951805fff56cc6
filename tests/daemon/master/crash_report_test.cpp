#include "daemon/master/crash_report.hpp"

#include <csignal>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

constexpr int kCoreDumped = 0x80;

CrashReport example() {
  CrashReport report;
  report.app = "shop";
  report.worker = "shop/1";
  report.pid = 812;
  report.status = SIGSEGV | kCoreDumped;
  report.time = std::chrono::system_clock::time_point(std::chrono::seconds(1'772'366'400));
  report.uptime = std::chrono::milliseconds(1500);
  report.core_limit = UINT64_MAX;
  report.core_pattern = "core";
  report.requests.add("GET /orders/17 id=5f age_ms=12 working");
  report.notes = {"SIGSEGV at address 0x0, thread 812 (shop)", "show() at shop.cpp:3 (shop+0x12)"};
  report.written = {"last words"};
  return report;
}

TEST(IsCrash, DependsOnHowItEndedAndWhatItWasTold) {
  struct Row {
    int status;
    bool was_ready;
    bool told_to_end;
    bool expected;
  };
  for (const Row& row : {
           Row{SIGSEGV, true, false, true},
           Row{SIGSEGV, false, false, true},
           Row{SIGSEGV, true, true, true},
           Row{SIGABRT, true, true, true},
           Row{3 << 8, true, false, true},
           Row{3 << 8, false, false, false},
           Row{3 << 8, true, true, false},
           Row{0, true, false, false},
           Row{SIGKILL, true, false, false},
           Row{SIGTERM, true, false, false},
           Row{SIGTERM, true, true, false},
       }) {
    EXPECT_EQ(is_crash(row.status, row.was_ready, row.told_to_end), row.expected)
        << row.status << row.was_ready << row.told_to_end;
  }
}

TEST(CrashNotes, AreTheLinesWithTheMarkAndNoOthers) {
  CrashNotes notes;
  EXPECT_TRUE(notes.take("viaduct-crash: one"));
  EXPECT_TRUE(notes.take("viaduct-crash: "));
  EXPECT_FALSE(notes.take(" viaduct-crash: two"));
  EXPECT_FALSE(notes.take("viaduct-crash:"));
  EXPECT_FALSE(notes.take(""));
  EXPECT_EQ(notes.lines(), (std::vector<std::string>{"one", ""}));
}

TEST(CrashNotes, AreLimited) {
  const std::string mark = "viaduct-crash: ";
  for (const std::size_t size : {CrashNotes::kMaxLine, CrashNotes::kMaxLine + 1}) {
    CrashNotes notes;
    EXPECT_TRUE(notes.take(mark + std::string(size, 'x')));
    EXPECT_EQ(notes.lines()[0].size(), CrashNotes::kMaxLine);
  }
  CrashNotes notes;
  for (std::size_t i = 0; i < CrashNotes::kMax; ++i) EXPECT_TRUE(notes.take(mark + "x"));
  EXPECT_FALSE(notes.take(mark + "x"));
  EXPECT_EQ(notes.lines().size(), CrashNotes::kMax);
}

TEST(CrashText, SaysAllThatIsKnown) {
  EXPECT_EQ(to_text(example()),
            "shop/1 killed by SIGSEGV (core dumped)\n"
            "\n"
            "time: 2026-03-01T12:00:00Z\n"
            "pid: 812\n"
            "uptime: 1500 ms\n"
            "core file: dumped, pattern core, no limit\n"
            "\n"
            "What the worker says of it\n"
            "  SIGSEGV at address 0x0, thread 812 (shop)\n"
            "  show() at shop.cpp:3 (shop+0x12)\n"
            "\n"
            "Requests that it had: 1\n"
            "  GET /orders/17 id=5f age_ms=12 working\n"
            "\n"
            "Last lines on its standard error\n"
            "  last words\n");
}

TEST(CrashText, OfAWorkerThatSaysNothing) {
  CrashReport report;
  report.app = "blog";
  report.worker = "blog/2";
  report.pid = 5;
  report.status = 3 << 8;
  report.core_limit = 0;
  report.core_pattern = "|/usr/bin/handler %p";
  report.requests.total = 70;
  report.requests_known = false;
  EXPECT_EQ(to_text(report),
            "blog/2 exited with status 3\n"
            "\n"
            "time: 1970-01-01T00:00:00Z\n"
            "pid: 5\n"
            "uptime: 0 ms\n"
            "core file: none, pattern |/usr/bin/handler %p, limit 0 bytes\n"
            "\n"
            "What the worker says of it\n"
            "  (none)\n"
            "\n"
            "Requests that it had: 70\n"
            "  (none)\n"
            "  and 70 more\n"
            "  (a bridge did not say which)\n"
            "\n"
            "Last lines on its standard error\n"
            "  (none)\n");
}

TEST(CrashText, NobodyCanForgeALineOfIt) {
  CrashReport report = example();
  const std::string hostile = "x\npid: 1\r\x1b[2J\x9b\xff";
  report.requests = {{hostile}, 1};
  report.notes = {hostile};
  report.written = {hostile};
  report.core_pattern = hostile;
  const std::string text = to_text(report);
  EXPECT_EQ(text.find("\npid: 1\r"), std::string::npos);
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << int{c};
  const std::string escaped = "x\\npid: 1\\r\\x1b[2J\\x9b\\xff";
  std::size_t found = 0;
  for (auto at = text.find(escaped); at != text.npos; at = text.find(escaped, at + 1)) ++found;
  EXPECT_EQ(found, 4u);
}

TEST(CrashJoin, EndsBehindAWholeText) {
  EXPECT_EQ(join({}, 10), "");
  EXPECT_EQ(join({"a", "b"}, 7), "a | b");
  EXPECT_EQ(join({"a", "b", "c"}, 9), "a | b | c");
  EXPECT_EQ(join({"a", "b", "c"}, 8), "a | b | ...");
  EXPECT_EQ(join({std::string(100, 'x')}, 50), "...");
}

TEST(CrashFile, NamesSortByTime) {
  CrashReport report = example();
  EXPECT_EQ(crash_file_name(report), "shop-20260301-120000-812.txt");
  EXPECT_TRUE(is_crash_file("shop", crash_file_name(report)));
  report.time += std::chrono::hours(24 * 40);
  EXPECT_LT("shop-20260301-120000-812.txt", crash_file_name(report));
}

TEST(CrashFile, OthersAreLeftAlone) {
  const struct {
    const char* app;
    const char* name;
    bool expected;
  } rows[] = {
      {"shop", "shop-20260301-120000-1.txt", true},
      {"shop-2", "shop-2-20260301-120000-1.txt", true},
      {"shop", "shop-2-20260301-120000-1.txt", false},
      {"shop", "shop-20260301-20260301-120000-1.txt", false},
      {"shop-20260301", "shop-20260301-20260301-120000-1.txt", true},
      {"shop", "shop-20260301-120000-.txt", false},
      {"shop", "shop-20260301-120000-1x.txt", false},
      {"shop", "shop-20260301-120000-1.txt~", false},
      {"shop", "shop-2026030x-120000-1.txt", false},
      {"shop", "shop-20260301-120000.txt", false},
      {"shop", "workshop-20260301-120000-1.txt", false},
      {"shop", "shop.txt", false},
      {"shop", "shop", false},
      {"shop", "", false},
  };
  for (const auto& row : rows)
    EXPECT_EQ(is_crash_file(row.app, row.name), row.expected) << row.name;
}

}  // namespace
}  // namespace viaduct::daemon::master
