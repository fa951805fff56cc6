#include "daemon/master/crash_desk.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <gtest/gtest.h>

#include "daemon/master/log_set.hpp"
#include "tests/daemon/master/temporary_directory.hpp"

namespace viaduct::daemon::master {
namespace {

using std::chrono::milliseconds;

class CrashDeskTest : public testing::Test {
 protected:
  CrashDeskTest() {
    config::Settings settings;
    settings.log.to = {config::LogTarget::Kind::file, log_};
    logs_.configure(settings);
  }

  static CrashReport report() {
    CrashReport made;
    made.app = "shop";
    made.worker = "shop/1";
    made.pid = 7;
    made.status = SIGSEGV;
    made.notes = {"SIGSEGV", "show()"};
    made.written = {"last words"};
    return made;
  }
  static std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string log() const { return read(log_); }
  std::string file() const { return read(crashes_ + "/shop-19700101-000000-7.txt"); }
  void answer(CrashDesk& desk, std::uint64_t serial, std::string_view line) {
    channel::LostRequests requests;
    requests.add(line);
    desk.requests_lost(serial, std::move(requests));
  }

  TemporaryDirectory directory_;
  const std::string log_ = directory_ / "log";
  const std::string crashes_ = directory_ / "crashes";
  boost::asio::io_context io_;
  LogSet logs_;
  CrashDesk desk_{io_, logs_, std::chrono::hours(1)};
};

TEST_F(CrashDeskTest, WaitsForWhatEveryBridgeSays) {
  desk_.open(3, report(), crashes_, 2);
  answer(desk_, 3, "GET /one");
  desk_.requests_lost(4, {});
  EXPECT_EQ(log(), "");
  EXPECT_EQ(file(), "");
  answer(desk_, 3, "GET /two");
  const std::string record = log();
  for (const char* const part :
       {"error worker crashed app=shop worker=shop/1 pid=7 signal=SIGSEGV exit_status=0",
        "requests_lost=2 requests=\"GET /one | GET /two\" trace=\"SIGSEGV | show()\"",
        "last_output=\"last words\"", "core_pattern=", "core_limit=0", "core_dumped=false"}) {
    EXPECT_NE(record.find(part), std::string::npos) << part << " in " << record;
  }
  EXPECT_NE(record.find("crash_report=" + crashes_ + "/shop-19700101-000000-7.txt"),
            std::string::npos);
  EXPECT_NE(file().find("  GET /one\n  GET /two\n"), std::string::npos);
  answer(desk_, 3, "GET /late");
  EXPECT_EQ(log(), record);
}

TEST_F(CrashDeskTest, WithoutABridgeItWaitsForNothing) {
  desk_.open(3, report(), crashes_, 0);
  EXPECT_NE(file().find("Requests that it had: 0\n"), std::string::npos);
  EXPECT_EQ(file().find("did not say"), std::string::npos);
}

TEST_F(CrashDeskTest, SilentBridgeIsNotWaitedForLong) {
  CrashDesk desk(io_, logs_, milliseconds(1));
  desk.open(3, report(), crashes_, 2);
  answer(desk, 3, "GET /one");
  io_.run();
  EXPECT_NE(file().find("GET /one"), std::string::npos);
  EXPECT_NE(file().find("a bridge did not say which"), std::string::npos);
}

TEST_F(CrashDeskTest, CloseFinishesWhatIsOpen) {
  desk_.open(3, report(), crashes_, 1);
  desk_.open(4, report(), "", 1);
  desk_.close();
  EXPECT_NE(file(), "");
  EXPECT_NE(log().find("crash_report=\"\""), std::string::npos);
  io_.run();
}

TEST_F(CrashDeskTest, RequestsThatNobodyNamesAreCounted) {
  desk_.open(3, report(), crashes_, 2);
  desk_.requests_lost(3, channel::decode("", 5));
  desk_.requests_lost(3, channel::decode("", 3));
  EXPECT_NE(file().find("Requests that it had: 8\n  (none)\n  and 8 more\n"), std::string::npos);
}

TEST_F(CrashDeskTest, WithoutAFileTheRecordSaysAll) {
  const std::string blocked = directory_ / "file";
  std::ofstream(blocked) << "x";
  desk_.open(3, report(), blocked, 0);
  EXPECT_NE(log().find("crash report cannot be written app=shop error=\"crash_dir " + blocked),
            std::string::npos)
      << log();
  EXPECT_NE(log().find("trace=\"SIGSEGV | show()\""), std::string::npos);
}

}  // namespace
}  // namespace viaduct::daemon::master
