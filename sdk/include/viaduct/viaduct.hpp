#pragma once

/// @file
/// viaduct: web applications in C++, behind any front web server.
///
///     #include <viaduct/viaduct.hpp>
///
///     int main(int argc, char** argv) {
///       viaduct::App app;
///       app.get("/", [](viaduct::Request&, viaduct::Response& res) { res.send("Hello\n"); });
///       return viaduct::run(argc, argv, app);
///     }
///
/// These headers need the standard library only. Three more are included by who needs them:
/// async.hpp (Boost.Asio in handlers), json.hpp (Boost.JSON) and testing.hpp (a client for tests).

/// @namespace viaduct
/// Web applications behind any front web server.

/// @namespace viaduct::v1
/// The version of the interface that a program is built against; inline, never to be named.

/// @namespace viaduct::v1::testing
/// A client for an application's tests.

#include <viaduct/app.hpp>
#include <viaduct/body.hpp>
#include <viaduct/channel.hpp>
#include <viaduct/cookie.hpp>
#include <viaduct/errors.hpp>
#include <viaduct/event_stream.hpp>
#include <viaduct/fields.hpp>
#include <viaduct/form.hpp>
#include <viaduct/html.hpp>
#include <viaduct/lint.hpp>
#include <viaduct/log.hpp>
#include <viaduct/middleware.hpp>
#include <viaduct/pool.hpp>
#include <viaduct/request.hpp>
#include <viaduct/response.hpp>
#include <viaduct/router.hpp>
#include <viaduct/session.hpp>
#include <viaduct/values.hpp>
#include <viaduct/wait.hpp>
