#include "tests/bench/instruction_gate/plan.hpp"

#include <fastcgi.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string_view>

namespace viaduct::bench {
namespace {

constexpr std::size_t kRecord = 32 * 1024;
constexpr int kArguments = 6;

unsigned number(const char* text, unsigned least, unsigned most) {
  const unsigned long value = std::stoul(text);
  if (value < least || value > most)
    throw std::runtime_error(std::string("no such number: ") + text);
  return static_cast<unsigned>(value);
}

void set(test::NameValues& params, std::string_view name, std::string value) {
  const auto found = std::find_if(params.begin(), params.end(),
                                  [&](const auto& param) { return param.first == name; });
  if (found == params.end())
    throw std::runtime_error("no " + std::string(name) + " among the params");
  found->second = std::move(value);
}

std::string encode(unsigned id, const test::NameValues& params, std::size_t body) {
  std::string bytes = test::begin_record(id) + test::params_records(id, params);
  for (std::size_t left = body; left > 0; left -= std::min(left, kRecord)) {
    bytes += test::stdin_record(id, std::string(std::min(left, kRecord), 'b'));
  }
  return bytes + test::stdin_record(id, "");
}

// HTTP_ACCEPT_LANGUAGE -> Accept-Language
std::string field_of(std::string_view variable) {
  std::string name(variable.substr(std::string_view("HTTP_").size()));
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool first = i == 0 || name[i - 1] == '-';
    if (name[i] == '_') {
      name[i] = '-';
    } else if (!first) {
      name[i] = static_cast<char>(name[i] - 'A' + 'a');
    }
  }
  return name;
}

}  // namespace

test::NameValues read_params(const std::string& path) {
  std::ifstream file(path);
  test::NameValues params;
  for (std::string line; std::getline(file, line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) throw std::runtime_error(path + ": no '=' in: " + line);
    params.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  if (params.empty()) throw std::runtime_error("cannot read " + path);
  return params;
}

Plan Plan::parse(int argc, char** argv) {
  if (argc != kArguments) {
    throw std::runtime_error("usage: PROGRAM PARAMS_FILE KIND IN_FLIGHT BODY BATCHES");
  }
  Plan plan;
  plan.params = read_params(argv[1]);
  plan.kind = argv[2];
  plan.in_flight = number(argv[3], 1, 1000);
  plan.body = number(argv[4], 0, 1 << 20);
  plan.batches = number(argv[5], 1, 1 << 20);
  if (plan.body > 0) {
    set(plan.params, "REQUEST_METHOD", "POST");
    set(plan.params, "CONTENT_TYPE", "application/octet-stream");
    set(plan.params, "CONTENT_LENGTH", std::to_string(plan.body));
  }
  return plan;
}

std::string Plan::answer() const {
  return body > 0 ? std::string(body, 'b') : "Hello, world\n";
}

std::string Plan::fastcgi_request(unsigned id) const {
  return encode(id, params, body);
}

std::string Plan::link_request(unsigned id) const {
  test::NameValues passed = params;
  std::erase_if(passed, [](const auto& param) { return param.first == "HTTP_PROXY"; });
  passed.emplace_back("VIADUCT_DEADLINE_MS", "60000");
  return encode(id, passed, body);
}

std::string Plan::http_request() const {
  std::string head;
  std::string fields;
  for (const auto& [name, value] : params) {
    if (name == "REQUEST_METHOD") head = value + head;
    if (name == "REQUEST_URI") head += ' ' + value;
    if (name.starts_with("HTTP_") && !value.empty())
      fields += field_of(name) + ": " + value + "\r\n";
  }
  if (body > 0) {
    fields += "Content-Type: application/octet-stream\r\nContent-Length: " + std::to_string(body) +
              "\r\n";
  }
  return head + " HTTP/1.1\r\n" + fields + "\r\n" + std::string(body, 'b');
}

void Progress::batch_answered() {
  // Destructors and exit handlers are no part of a request.
  if (--left_ == 0) ::_exit(0);
}

void give_up(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::_Exit(70);
}

}  // namespace viaduct::bench
