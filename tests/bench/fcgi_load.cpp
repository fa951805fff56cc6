// fcgi_load: applies a closed-loop load to a FastCGI server on a Unix socket and prints what came
// of it as one JSON object. tests/bench/README.md says what the numbers mean.

#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "tests/bench/load.hpp"

namespace {

using viaduct::bench::LoadPlan;
using viaduct::bench::LoadResult;

constexpr int kExitFailures = 1;
constexpr int kExitUsage = 64;
constexpr int kExitUnreachable = 69;

struct Seconds {
  double warmup = 0.2;
  double duration = 2;
  double timeout = 5;
};

std::chrono::nanoseconds to_nanoseconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(seconds));
}

double to_seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string without_scheme(std::string address) {
  constexpr std::string_view kScheme = "unix:";
  if (!address.starts_with(kScheme) || address.size() == kScheme.size()) {
    throw CLI::ValidationError("ADDRESS", address + ": expected unix:/path or unix:@name");
  }
  return address.substr(kScheme.size());
}

void declare(CLI::App& app, LoadPlan& plan, Seconds& seconds) {
  app.add_option("ADDRESS", plan.path, "unix:/path or unix:@name of a FastCGI server")
      ->required()
      ->transform(without_scheme);
  app.add_option("-c,--connections", plan.connections, "connections kept open")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("-m,--mux", plan.requests_each, "requests in flight on each connection")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  app.add_option("-s,--seconds", seconds.duration, "how long to measure")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  app.add_option("--warmup", seconds.warmup, "seconds of load before measuring")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_option("--timeout", seconds.timeout, "seconds of silence that end the run as failed")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  app.add_option("--uri", plan.uri, "what is requested")->capture_default_str();
  app.add_option("--status", plan.status, "expected of every answer")->capture_default_str();
  app.add_option("--body", plan.body, "expected of every answer")->required();
}

boost::json::object report(const LoadPlan& plan, const LoadResult& result) {
  const auto microseconds = [&](double q) {
    return static_cast<double>(result.latency.quantile(q)) / 1000;
  };
  return {
      {"connections", plan.connections},
      {"mux", plan.requests_each},
      {"requests", result.latency.count()},
      {"seconds", to_seconds(result.measured)},
      {"requests_per_second",
       static_cast<double>(result.latency.count()) / to_seconds(result.measured)},
      {"p50_us", microseconds(0.50)},
      {"p99_us", microseconds(0.99)},
      {"answers", result.answers},
      {"failures", result.failures},
      {"first_failure", result.first_failure},
      {"cpu_seconds", to_seconds(result.cpu)},
  };
}

}  // namespace

int main(int argc, char** argv) {
  LoadPlan plan;
  Seconds seconds;
  CLI::App app("Applies a closed-loop load to a FastCGI server", "fcgi_load");
  declare(app, plan, seconds);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  plan.warmup = to_nanoseconds(seconds.warmup);
  plan.duration = to_nanoseconds(seconds.duration);
  plan.timeout = to_nanoseconds(seconds.timeout);

  try {
    const LoadResult result = viaduct::bench::run_load(plan);
    std::cout << boost::json::serialize(report(plan, result)) << '\n';
    return result.failures == 0 ? 0 : kExitFailures;
  } catch (const std::system_error& error) {
    std::cerr << "fcgi_load: " << error.what() << '\n';
    return kExitUnreachable;
  } catch (const std::exception& error) {
    std::cerr << "fcgi_load: " << error.what() << '\n';
    return kExitUsage;
  }
}
