#include "daemon/config/dump_writer.hpp"

#include "daemon/config/scalars.hpp"

namespace viaduct::daemon::config {

void DumpWriter::begin_line() {
  const auto indent = 2 * static_cast<std::size_t>(depth_ - (item_ ? 1 : 0));
  text_.append(indent, ' ');
  if (item_) text_ += "- ";
  item_ = false;
}

void DumpWriter::value(std::string_view name, const std::string& yaml, const std::string& path) {
  begin_line();
  values_.insert_or_assign(path, yaml);
  const auto known = origins_.find(path);
  const bool written = known != origins_.end() && known->second;
  text_ += quote_yaml(name) + ": " + yaml + "  # " +
           (written ? *known->second.file + ':' + std::to_string(known->second.line) : "default") +
           '\n';
}

void DumpWriter::open(std::string_view name) {
  begin_line();
  text_ += quote_yaml(name) + ":\n";
  ++depth_;
}

void DumpWriter::open_item() {
  ++depth_;
  item_ = true;
}

void DumpWriter::close() {
  --depth_;
  item_ = false;
}

}  // namespace viaduct::daemon::config
