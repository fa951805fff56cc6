#include "daemon/config/env_file.hpp"

#include <optional>

#include "daemon/config/keys.hpp"

namespace viaduct::daemon::config {
namespace {

constexpr std::string_view kBlank = " \t\r";

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::variant<NamedValues, EnvFileProblem> run() {
    while (!problem_ && skip_to_name()) {
      const int line = line_;
      const std::string name = take_name();
      if (!problem_) check_name(name, line);
      if (!problem_) values_.emplace_back(name, take_value());
    }
    if (problem_) return *problem_;
    return std::move(values_);
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return text_[at_]; }
  char take() {
    if (text_[at_] == '\n') ++line_;
    return text_[at_++];
  }
  void fail(int line, std::string message) { problem_ = EnvFileProblem{line, std::move(message)}; }

  bool skip_to_name() {
    while (!at_end()) {
      if (peek() == '\n' || kBlank.find(peek()) != std::string_view::npos) {
        take();
      } else if (peek() == '#' || peek() == ';') {
        while (!at_end() && peek() != '\n') take();
      } else {
        return true;
      }
    }
    return false;
  }

  std::string take_name() {
    const int line = line_;
    std::string name;
    while (!at_end() && peek() != '=' && peek() != '\n') name += take();
    if (at_end() || take() != '=') {
      fail(line, "expected NAME=VALUE");
      return {};
    }
    while (!name.empty() && kBlank.find(name.back()) != std::string_view::npos) name.pop_back();
    return name;
  }

  void check_name(const std::string& name, int line) {
    const std::string problem = env_name_problem(name);
    if (!problem.empty()) fail(line, problem);
  }

  std::string take_value() {
    std::string value;
    while (!at_end() && peek() != '\n') {
      if (peek() == '\'') {
        take_single_quoted(value);
      } else if (peek() == '"') {
        take_double_quoted(value);
      } else if (kBlank.find(peek()) != std::string_view::npos) {
        take();
      } else {
        take_unquoted(value);
        break;
      }
    }
    if (value.find('\0') != std::string::npos) fail(line_, "NUL bytes are not allowed");
    return value;
  }

  void take_single_quoted(std::string& value) {
    const int line = line_;
    take();
    while (!at_end() && peek() != '\'') value += take();
    close_quote(line);
  }

  void take_double_quoted(std::string& value) {
    const int line = line_;
    take();
    while (!at_end() && peek() != '"') {
      const char c = take();
      if (c != '\\' || at_end()) {
        value += c;
        continue;
      }
      const char escaped = take();
      if (escaped == '\n') continue;
      if (std::string_view("\"\\`$").find(escaped) == std::string_view::npos) value += '\\';
      value += escaped;
    }
    close_quote(line);
  }

  void close_quote(int line) {
    if (at_end())
      fail(line, "the quote that begins here is not closed");
    else
      take();
  }

  void take_unquoted(std::string& value) {
    std::size_t kept = value.size();  // what ends here is not trailing blank
    while (!at_end() && peek() != '\n') {
      const char c = take();
      if (c == '\\') {
        if (at_end()) break;
        const char escaped = take();
        if (escaped != '\n') value += escaped;
        kept = value.size();
      } else {
        value += c;
        if (kBlank.find(c) == std::string_view::npos) kept = value.size();
      }
    }
    value.resize(kept);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  NamedValues values_;
  std::optional<EnvFileProblem> problem_;
};

}  // namespace

std::variant<NamedValues, EnvFileProblem> parse_env_file(std::string_view text) {
  return Parser(text).run();
}

}  // namespace viaduct::daemon::config
