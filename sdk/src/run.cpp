#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <system_error>

#include <CLI/CLI.hpp>
#include <viaduct/app.hpp>

#include "sdk/src/app_settings.hpp"
#include "sdk/src/log_output.hpp"
#include "sdk/src/runtime/background.hpp"
#include "sdk/src/runtime/server.hpp"
#include "sdk/src/runtime/sockets.hpp"

namespace viaduct {
inline namespace v1 {
namespace {

using detail::AppSettings;
using detail::Listener;
using detail::ListeningSocket;
using detail::ServerOptions;

constexpr int kUsage = 64;
constexpr int kInternal = 70;
constexpr std::uint32_t kThreads = 8;
constexpr std::uint32_t kFibers = 1000;
constexpr std::uint32_t kMaxThreads = 1024;
constexpr std::uint32_t kMaxFibers = 10000;

struct CommandLine {
  std::string fastcgi;
  std::string scgi;
  std::string model;
  std::uint32_t limit = 0;
  std::uint32_t stop_ms = 30000;
  std::size_t fiber_stack = 256 * 1024;
};

std::string environment_name(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    if (c == '-') return '_';
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

void declare(CLI::App& parser, CommandLine& line, const AppSettings& settings) {
  auto* const fastcgi = parser.add_option("--fastcgi", line.fastcgi,
                                          "Listen there and speak FastCGI: unix:/path, "
                                          "unix:@name or tcp:HOST:PORT");
  auto* const scgi = parser.add_option("--scgi", line.scgi, "Listen there and speak SCGI");
  fastcgi->excludes(scgi);
  fastcgi->type_name("ADDR");
  scgi->type_name("ADDR");
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
  parser.set_version_flag("--version", std::string("viaduct ") + VIADUCT_VERSION);
  for (const AppSettings::Option& option : settings.options) {
    parser.add_option("--" + option.name, *option.value, option.help)
        ->envname(environment_name(option.name));
  }
}

ServerOptions server_options(const CommandLine& line, const AppSettings& settings) {
  ServerOptions options;
  options.model = settings.model.value_or(Model::threads);
  if (!line.model.empty()) options.model = line.model == "fibers" ? Model::fibers : Model::threads;
  const bool fibers = options.model == Model::fibers;
  options.limit = line.limit != 0 ? line.limit : fibers ? kFibers : kThreads;
  if (!fibers) options.limit = std::min(options.limit, kMaxThreads);
  options.stop_time = std::chrono::milliseconds(line.stop_ms);
  options.fiber_stack = line.fiber_stack;
  return options;
}

struct Transport {
  Listener::Protocol protocol = Listener::Protocol::fastcgi;
  std::vector<ListeningSocket> sockets;
  std::vector<std::string> peers;
};

// Empty when nobody said where requests come from.
Transport find_transport(const CommandLine& line) {
  Transport transport;
  if (!line.fastcgi.empty()) {
    transport.sockets.push_back(detail::listen_on(line.fastcgi));
  } else if (!line.scgi.empty()) {
    transport.protocol = Listener::Protocol::scgi;
    transport.sockets.push_back(detail::listen_on(line.scgi));
  } else if (detail::is_listening(STDIN_FILENO)) {
    transport.sockets.push_back({.fd = STDIN_FILENO});
    transport.peers = detail::web_server_addresses();
  } else {
    for (const int fd : detail::inherited_sockets()) transport.sockets.push_back({.fd = fd});
  }
  return transport;
}

void remove_files(const Transport& transport) {
  for (const ListeningSocket& socket : transport.sockets) {
    std::error_code ignored;
    if (!socket.file.empty()) std::filesystem::remove(socket.file, ignored);
  }
}

void serve(const App& app, const ServerOptions& options, const Transport& transport) {
  const AppSettings& settings = detail::AppAccess::settings(app);
  for (const auto& hook : settings.on_startup) hook();
  {
    detail::Server server(app, options);
    server.handle_signals();
    for (const ListeningSocket& socket : transport.sockets) {
      server.listen(socket.fd, transport.protocol, transport.peers);
    }
    const detail::Background background(settings.background);
    server.run();
  }
  for (auto hook = settings.on_shutdown.rbegin(); hook != settings.on_shutdown.rend(); ++hook) {
    (*hook)();
  }
}

}  // namespace

int run(int argc, char** argv, App& app) {
  const AppSettings& settings = detail::AppAccess::settings(app);
  const std::string name = argc > 0 ? std::filesystem::path(argv[0]).filename() : "viaduct app";
  const auto complain = [&name](const std::exception& error) {
    std::cerr << name << ": " << error.what() << std::endl;
  };
  CommandLine line;
  CLI::App parser("A viaduct application.", name);
  try {
    declare(parser, line, settings);
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return parser.exit(error) == 0 ? 0 : kUsage;
  }
  Transport transport;
  try {
    transport = find_transport(line);
  } catch (const std::exception& error) {
    complain(error);
    return kUsage;
  }
  if (transport.sockets.empty()) {
    std::cerr << name
              << ": no socket to serve: give --fastcgi ADDR or --scgi ADDR, or start it from "
                 "viaductd, spawn-fcgi or a systemd socket unit"
              << std::endl;
    return kUsage;
  }
  const detail::LogRedirection redirection(settings.log_sink);
  int status = 0;
  try {
    serve(app, server_options(line, settings), transport);
  } catch (const std::exception& error) {
    complain(error);
    status = kInternal;
  }
  remove_files(transport);
  return status;
}

}  // namespace v1
}  // namespace viaduct
