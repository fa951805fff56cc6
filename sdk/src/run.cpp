#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>
#include <viaduct/app.hpp>

#include "sdk/src/app_settings.hpp"
#include "sdk/src/log_output.hpp"
#include "sdk/src/route_tree.hpp"
#include "sdk/src/runtime/background.hpp"
#include "sdk/src/runtime/cgi_gateway.hpp"
#include "sdk/src/runtime/client_source.hpp"
#include "sdk/src/runtime/crash_reporter.hpp"
#include "sdk/src/runtime/early_signals.hpp"
#include "sdk/src/runtime/server.hpp"
#include "sdk/src/runtime/transport.hpp"

namespace viaduct {
inline namespace v1 {
namespace {

using detail::AppSettings;
using detail::EarlySignals;
using detail::ListeningSocket;
using detail::ServerOptions;
using detail::Transport;

constexpr int kUsage = 64;
constexpr int kInternal = 70;
constexpr std::uint32_t kThreads = 8;
constexpr std::uint32_t kFibers = 1000;
constexpr std::uint32_t kMaxThreads = 1024;
constexpr std::uint32_t kMaxFibers = 20000;

// Says why run() ends as it does.
using Complain = std::function<void(const std::exception&)>;

struct CommandLine {
  detail::Addresses addresses;
  std::string model;
  std::uint32_t limit = 0;
  std::uint32_t stop_ms = 30000;
  std::size_t fiber_stack = 256 * 1024;
  std::uint32_t fiber_watchdog_ms = 1000;
  std::string request_id_from;
  std::string send_file = "off";
  detail::ClientSourceWords clients;
};

std::string environment_name(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    if (c == '-') return '_';
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

// Where the server learns of the client behind a proxy, which speaks HTTP to it.
void declare_clients(CLI::App& parser, detail::ClientSourceWords& clients) {
  parser
      .add_option(
          "--trusted", clients.trusted,
          "With --http: proxies whose word about the client is believed: addresses, networks, "
          "uid:NAME and gid:NAME, separated by commas")
      ->type_name("LIST")
      ->envname("VIADUCT_TRUSTED");
  parser
      .add_option("--forwarded", clients.forwarded,
                  "The one field in which they name it: x-forwarded-for or forwarded; or none")
      ->envname("VIADUCT_FORWARDED")
      ->check(CLI::IsMember({"x-forwarded-for", "forwarded", "none"}));
  const auto part = [&](const char* name, bool& wanted, const char* variable, const char* help) {
    parser.add_flag(name, wanted, help)->envname(variable);
  };
  part("--forwarded-host", clients.host, "VIADUCT_FORWARDED_HOST",
       "They also say the host: X-Forwarded-Host, or host= of Forwarded");
  part("--forwarded-proto", clients.proto, "VIADUCT_FORWARDED_PROTO",
       "They also say the scheme: X-Forwarded-Proto, or proto= of Forwarded");
  part("--forwarded-port", clients.port, "VIADUCT_FORWARDED_PORT",
       "They also say the port: X-Forwarded-Port");
}

// CLI11 would take one that belongs to a group as well, and then only one of the two gets the
// value.
void require_free(const std::string& name, const CLI::App& parser, const CLI::App& transports) {
  const auto taken = [&](const CLI::App& options) {
    const auto all = options.get_options();
    return std::any_of(all.begin(), all.end(),
                       [&](const CLI::Option* known) { return known->check_lname(name); });
  };
  if (taken(parser) || taken(transports)) {
    throw std::invalid_argument("option \"" + name + "\": the name is taken: --" + name +
                                " is an option of viaduct::run() or of this app");
  }
  if (environment_name(name).starts_with("VIADUCT_")) {
    throw std::invalid_argument(
        "option \"" + name + "\": variables that begin with VIADUCT_ are those of viaduct::run()");
  }
}

void declare(CLI::App& parser, CommandLine& line, const AppSettings& settings) {
  auto* const transports = parser.add_option_group("Transport");
  const auto transport = [&](const char* name, std::string& address, const char* help) {
    transports->add_option(name, address, help)->type_name("ADDR");
  };
  transport("--fastcgi", line.addresses.fastcgi,
            "Listen there and speak FastCGI: unix:/path, unix:@name or tcp:HOST:PORT");
  transport("--scgi", line.addresses.scgi, "Listen there and speak SCGI");
  transport("--uwsgi", line.addresses.uwsgi, "Listen there and speak uwsgi");
  transport("--http", line.addresses.http,
            "Listen there and speak HTTP, for development or behind a proxy");
  transports->require_option(0, 1);
  parser.add_option("--model", line.model, "How handlers wait: threads or fibers")
      ->envname("VIADUCT_MODEL")
      ->check(CLI::IsMember({"threads", "fibers"}));
  parser.add_option("--limit", line.limit, "Requests handled at once; 8 threads or 1000 fibers")
      ->envname("VIADUCT_LIMIT")
      ->check(CLI::Range(1U, kMaxFibers));
  parser.add_option("--stop-ms", line.stop_ms, "Milliseconds to drain before requests are stopped")
      ->envname("VIADUCT_STOP_MS");
  parser.add_option("--fiber-stack", line.fiber_stack, "Bytes of a fiber's stack")
      ->envname("VIADUCT_FIBER_STACK")
      ->check(CLI::Range(std::size_t{32 * 1024}, std::size_t{64 * 1024 * 1024}));
  parser
      .add_option(
          "--fiber-watchdog-ms", line.fiber_watchdog_ms,
          "Milliseconds that a fiber may hold its loop up before that is logged; 0: for ever")
      ->envname("VIADUCT_FIBER_WATCHDOG_MS");
  parser
      .add_option("--request-id-from", line.request_id_from,
                  "Variables (REQUEST_ID) and header fields (X-Request-Id) that may hold a "
                  "request's id, separated by commas; or none")
      ->envname("VIADUCT_REQUEST_ID_FROM")
      ->check([](const std::string& names) -> std::string {
        try {
          const detail::RequestIds ids(names);
          return {};
        } catch (const std::invalid_argument& error) {
          return error.what();
        }
      });
  parser
      .add_option("--send-file", line.send_file,
                  "How the front server is asked to send a file: off, x-accel-redirect or "
                  "x-sendfile")
      ->envname("VIADUCT_SEND_FILE")
      ->check(CLI::IsMember({"off", "x-accel-redirect", "x-sendfile"}));
  declare_clients(parser, line.clients);
  parser.set_version_flag("--version", std::string("viaduct ") + VIADUCT_VERSION);
  for (const AppSettings::Option& option : settings.options) {
    require_free(option.name, parser, *transports);
    parser.add_option("--" + option.name, *option.value, option.help)
        ->envname(environment_name(option.name));
  }
}

ServerOptions server_options(const CommandLine& line, const AppSettings& settings,
                             detail::ClientSource clients) {
  ServerOptions options;
  options.client_source = std::move(clients);
  options.model = settings.model.value_or(Model::threads);
  if (!line.model.empty()) options.model = line.model == "fibers" ? Model::fibers : Model::threads;
  const bool fibers = options.model == Model::fibers;
  options.limit = line.limit != 0 ? line.limit : fibers ? kFibers : kThreads;
  if (!fibers) options.limit = std::min(options.limit, kMaxThreads);
  options.stop_time = std::chrono::milliseconds(line.stop_ms);
  options.fibers = {.stack_size = line.fiber_stack,
                    .watchdog = std::chrono::milliseconds(line.fiber_watchdog_ms)};
  if (!line.request_id_from.empty()) options.request_ids = detail::RequestIds(line.request_id_from);
  options.file_delivery =
      detail::parse_delivery(line.send_file).value_or(detail::FileDelivery::self);
  return options;
}

// One request, and the process has done its duty.
void serve_cgi(detail::Server& server) {
  detail::CgiGateway gateway(detail::cgi_variables());
  server.serve_connection(gateway.take_engine_end(), detail::Listener::Protocol::fastcgi);
  bool answered = false;
  std::thread thread([&] {
    answered = gateway.run();
    server.drain();
  });
  try {
    server.run();
  } catch (...) {
    gateway.give_up();
    thread.join();
    throw;
  }
  thread.join();
  if (!answered) throw std::runtime_error("the request was not answered");
}

void serve(const App& app, const ServerOptions& options, const Transport& transport,
           std::optional<EarlySignals>& early) {
  const AppSettings& settings = detail::AppAccess::settings(app);
  detail::require_distinct_routes(app);
  for (const auto& hook : settings.on_startup) detail::call_hook("on_startup", hook);
  detail::require_distinct_routes(app);
  {
    detail::Server server(app, options);
    server.handle_signals();
    if (early) early->hand_over();
    for (const ListeningSocket& socket : transport.sockets) {
      server.listen(socket.fd, transport.protocol, transport.peers);
    }
    const detail::Background background(settings.background);
    if (transport.cgi) {
      serve_cgi(server);
    } else {
      server.run();
    }
  }
}

// Calls all of them, whatever the others throw.
void shut_down(const AppSettings& settings, const Complain& complain) {
  for (auto hook = settings.on_shutdown.rbegin(); hook != settings.on_shutdown.rend(); ++hook) {
    try {
      detail::call_hook("on_shutdown", *hook);
    } catch (const std::runtime_error& error) {
      complain(error);
    }
  }
}

}  // namespace

int run(int argc, char** argv, App& app) {
  const AppSettings& settings = detail::AppAccess::settings(app);
  const std::string name = argc > 0 ? std::filesystem::path(argv[0]).filename() : "viaduct app";
  int status = 0;
  const Complain complain = [&name, &status](const std::exception& error) {
    std::cerr << name << ": " << error.what() << std::endl;
    status = kInternal;
  };
  CommandLine line;
  CLI::App parser("A viaduct application.", name);
  try {
    declare(parser, line, settings);
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return parser.exit(error) == 0 ? 0 : kUsage;
  } catch (const std::exception& error) {
    // An option of the app's whose name is taken.
    complain(error);
    return kInternal;
  }
  std::optional<EarlySignals> early;
  std::optional<Transport> transport;
  detail::ClientSource clients;
  try {
    clients = detail::ClientSource(line.clients);
    // Others keep the sockets that they pass, and expect a process that only starts to end at once.
    if (!line.addresses.empty()) early.emplace();
    transport = detail::find_transport(line.addresses);
  } catch (const std::exception& error) {
    complain(error);
    return kUsage;
  }
  if (!transport) {
    std::cerr
        << name
        << ": no socket to serve: give --fastcgi, --scgi, --uwsgi or --http ADDR, or start it "
           "from viaductd, spawn-fcgi, a systemd socket unit, as a CGI program or on a terminal"
        << std::endl;
    return kUsage;
  }
  if (const std::string url = detail::url_of(*transport); !url.empty()) {
    std::cerr << name << ": serving " << url
              << (line.addresses.http.empty() ? " for development; --help lists other ways" : "")
              << std::endl;
  }
  if (settings.crash_reports && std::getenv("VIADUCT_APP") != nullptr) detail::report_crashes();
  const detail::LogRedirection redirection(settings.log_sink);
  try {
    serve(app, server_options(line, settings, std::move(clients)), *transport, early);
    shut_down(settings, complain);
  } catch (const std::exception& error) {
    complain(error);
  }
  detail::remove_files(*transport);
  return status;
}

}  // namespace v1
}  // namespace viaduct
