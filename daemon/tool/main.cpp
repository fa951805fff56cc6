#include <exception>
#include <iostream>
#include <string>

#include <boost/json.hpp>

#include "daemon/tool/client.hpp"
#include "daemon/tool/command_line.hpp"
#include "daemon/tool/fields.hpp"
#include "daemon/tool/text.hpp"

namespace {

using namespace viaduct::daemon::tool;

void show(const CommandLine& line, const Answer& answer) {
  if (line.json) {
    std::cout << printable_json(answer.body);
    return;
  }
  const boost::json::value value = boost::json::parse(answer.body);
  std::cerr << warnings_text(value);
  if (exit_status(answer.status) != kDone) {
    std::cerr << error_text(value);
    return;
  }
  switch (line.form) {
    case Form::status:
      std::cout << status_text(value);
      return;
    case Form::requests:
      std::cout << requests_text(value);
      return;
    case Form::message:
      std::cout << text_of(value, "message") << '\n';
      return;
  }
}

int fail(const std::exception& error, ExitStatus status) {
  std::cerr << "viaduct: " << error.what() << '\n';
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto parsed = parse(argc, argv, Surroundings::real(), std::cout, std::cerr);
    if (const auto* status = std::get_if<ExitStatus>(&parsed)) return *status;
    const CommandLine& line = std::get<CommandLine>(parsed);
    const Answer answer = ask(line);
    show(line, answer);
    return exit_status(answer.status);
  } catch (const Unreachable& error) {
    return fail(error, kUnreachable);
  } catch (const TimedOut& error) {
    return fail(error, kTimedOut);
  } catch (const std::exception& error) {
    return fail(error, kInternal);
  }
}
