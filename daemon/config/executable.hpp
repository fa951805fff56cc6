// Finds a program as exec would for a given user, and says in words why that user cannot run it, or
// cannot use a directory.
#pragma once

#include <string>
#include <string_view>

#include "daemon/config/app_settings.hpp"
#include "daemon/config/system.hpp"

namespace viaduct::daemon::config {

struct Access {
  int error = 0;        // errno that exec or chdir will answer; 0: none
  std::string because;  // what is in the way: "user shop cannot search /srv"; may be empty
};

// Whether `account` can execute the file, or change into the directory, at an absolute path:
// judged by the mode bits of it and of every directory above. Where an access control list is in
// force the answer is yes, because only the kernel can tell. `root`: the root directory of the
// process, as by chroot(2); "" is that of this one.
Access executable_by(const System& system, const Account& account, const std::string& path,
                     const std::string& root = {});
Access enterable_by(const System& system, const Account& account, const std::string& path,
                    const std::string& root = {});

// Whether `account` can make files in the directory, judged likewise.
Access writable_by(const System& system, const Account& account, const std::string& path);

// Whether another file has taken the place of the app's program since its settings were read.
bool program_is_replaced(const AppSettings& app, const System& system);

struct Found {
  std::string path;  // absolute; "" when it is in no directory of PATH
  Access access;
};

// A program named without a slash: the first in `search_path` (directories with ':' between, as in
// PATH) that `account` can execute; failing that the first that exists.
Found find_in_path(const System& system, const Account& account, std::string_view program,
                   std::string_view search_path, const std::string& root = {});

}  // namespace viaduct::daemon::config
