// Writes YAML in block style with a comment behind each value that says where it comes from.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "daemon/config/origin.hpp"

namespace viaduct::daemon::config {

class DumpWriter {
 public:
  // `origins` must outlive the writer.
  explicit DumpWriter(const Origins& origins) : origins_(origins) {}

  // "name: yaml  # file:line", or "# default" when no origin is known for the path.
  void value(std::string_view name, const std::string& yaml, const std::string& path);
  void open(std::string_view name);  // "name:", and what follows belongs to it
  void open_item();                  // the same for the next item of a list: "- "
  void close();

  const std::string& text() const { return text_; }
  // What value() was given: YAML by path.
  const std::map<std::string, std::string, std::less<>>& values() const { return values_; }

 private:
  void begin_line();

  const Origins& origins_;
  std::string text_;
  std::map<std::string, std::string, std::less<>> values_;
  int depth_ = 0;
  bool item_ = false;  // the next line starts a list item
};

}  // namespace viaduct::daemon::config
