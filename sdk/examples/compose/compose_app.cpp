#include "compose_app.hpp"

#include <chrono>

#include <viaduct/middleware.hpp>
#include <viaduct/viaduct.hpp>

namespace compose {
namespace {

namespace middleware = viaduct::middleware;
using viaduct::Handler;
using viaduct::Request;
using viaduct::Response;

// A part: url() leads back into it wherever it is mounted.
viaduct::Router blog(const std::string& title) {
  viaduct::Router router;
  router.get("/", [title](Request& req, Response& res) {
    res.type("text/html; charset=utf-8");
    res.send("<h1>" + viaduct::html_escape(title) + "</h1>\n<a href=\"" +
             viaduct::html_escape(req.url("/hello")) + "\">hello</a>\n");
  });
  router.get("/{post}", [title](Request& req, Response& res) {
    res.send(title + ": " + req.arg<std::string>("post") + '\n');
  });
  return router;
}

viaduct::Router admin(const std::string& password) {
  viaduct::Router router;
  router.use(middleware::basic_auth({.realm = "compose", .users = {{"admin", password}}}));
  router.get("/", [](Request& req, Response& res) {
    res.send("hello, " + std::string(middleware::authenticated_user(req)) + '\n');
  });
  return router;
}

viaduct::Router api(std::function<std::string()> time) {
  viaduct::Router router;
  router.use(middleware::cors({.origins = {"https://app.example"}}));
  router.use(middleware::rate_limit({.per_second = 5, .burst = 10}));
  router.get("/time", [time = std::move(time)](Request& req, Response& res) {
    const auto begin = std::chrono::steady_clock::now();
    const std::string now = time();
    req.local<middleware::Timings>().add("clock", std::chrono::steady_clock::now() - begin);
    res.send(now + '\n');
  });
  return router;
}

// Middleware is a function: what it does before `next` it does before the handler.
void no_visitors_at_night(Request& req, Response& res, const Handler& next) {
  if (req.query().get("hour") == "3") throw viaduct::http_error(503, "Asleep until six.");
  next(req, res);
}

}  // namespace

std::unique_ptr<viaduct::App> make_app(const Dependencies& dependencies) {
  auto app = std::make_unique<viaduct::App>();
  // The first one is the outermost: it sees what the others answer, errors included.
  app->use(middleware::access_log());
  app->use(middleware::timing());
  app->use(middleware::security_headers());
  app->use(middleware::conditional_get());
  app->use(no_visitors_at_night);
  app->get("/", [](Request& req, Response& res) {
    std::string page = "<ul>\n";
    for (const char* const part : {"/blog/", "/archive/", "/admin/", "/api/time", "/people/root"}) {
      const std::string link = viaduct::html_escape(req.url(part));
      page += "<li><a href=\"" + link + "\">" + link + "</a></li>\n";
    }
    res.type("text/html; charset=utf-8").send(page + "</ul>\n");
  });
  app->mount("/blog", blog("Blog"));
  app->mount("/archive", blog("Archive"));
  app->mount("/admin", admin(dependencies.admin_password));
  app->mount("/api", api(dependencies.time));
  app->mount("/people", people(dependencies.finger));
  return app;
}

}  // namespace compose
