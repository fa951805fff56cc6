#pragma once

#include <functional>
#include <memory>
#include <string>

#include <viaduct/app.hpp>

#include "people.hpp"

/// An application put together from parts that know nothing of each other:
///
///     /                 a page with links to the parts, wherever the app is mounted
///     /blog/...         a router used under two prefixes
///     /archive/...
///     /admin/...        behind a password
///     /api/...          for scripts of other sites, limited per client
///     /people/...       what another server says, asked through Boost.Asio: see people.hpp
namespace compose {

struct Dependencies {
  std::string admin_password;
  std::function<std::string()> time;  ///< what /api/time answers
  FingerServer finger = {};           ///< whom /people asks
};

[[nodiscard]] std::unique_ptr<viaduct::App> make_app(const Dependencies& dependencies);

}  // namespace compose
