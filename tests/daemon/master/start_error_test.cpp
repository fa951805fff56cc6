#include "daemon/master/start_error.hpp"

#include <cerrno>
#include <system_error>

#include <gtest/gtest.h>

namespace viaduct::daemon::master {
namespace {

TEST(StartErrorTest, WhatTheEnvironmentLacksPassesByItself) {
  for (const int error : {EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM,
                          ENOSPC, EDQUOT, ENETDOWN, ENETUNREACH}) {
    EXPECT_TRUE(is_transient(error)) << error;
  }
  for (const int error : {0, EACCES, EPERM, ENOENT, ENOTDIR, EINVAL, EISDIR, EROFS, ESTALE}) {
    EXPECT_FALSE(is_transient(error)) << error;
  }
}

TEST(StartErrorTest, OfAKeyNamesItsPosition) {
  config::Settings settings;
  settings.origins["log.to"] = {std::make_shared<const std::string>("/etc/v.yaml"), 3, 11};
  const std::system_error full(ENOSPC, std::generic_category(), "open /x");
  const StartError written = error_of_key(settings, "log.to", full);
  EXPECT_STREQ(written.what(), "/etc/v.yaml:3:11: log.to: open /x: No space left on device");
  EXPECT_EQ(written.error(), ENOSPC);

  const StartError by_default =
      error_of_key(settings, "runtime_dir", StartError("cannot be had", EACCES));
  EXPECT_STREQ(by_default.what(), "runtime_dir: cannot be had");
  EXPECT_EQ(by_default.error(), EACCES);
  EXPECT_EQ(error_of_key(settings, "log.to", std::runtime_error("no")).error(), 0);
}

}  // namespace
}  // namespace viaduct::daemon::master
