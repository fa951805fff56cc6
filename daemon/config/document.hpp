// A YAML file as a tree in which every key and value knows where it was written.
//
// yaml-cpp's own tree drops the position of keys and looks up only the first of two equal ones;
// this one is built from the parser's events and keeps all of them, in order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/config/diagnostic.hpp"
#include "daemon/config/origin.hpp"

namespace viaduct::daemon::config {

struct Node;
using NodePtr = std::shared_ptr<const Node>;  // shared: an alias is the anchored node itself

struct Entry {
  std::string key;
  Origin origin;  // of the key
  NodePtr value;  // never null
};

struct Node {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  Origin origin;  // of a null: that of its key
  std::string text;
  std::vector<NodePtr> items;
  std::vector<Entry> entries;  // duplicates included
};

// The value of the first entry with that key, or nullptr.
const Entry* find_entry(const Node& map, std::string_view key);

// The single document in `text`; a null node when it is empty. Syntax errors, custom tags, keys
// that are no text, values with NUL bytes and a second document are reported; the result is null
// after a syntax error. `file` is the name for messages.
NodePtr parse_document(const std::string& text, std::shared_ptr<const std::string> file,
                       Report& report);

// `over` laid upon `under`, key by key and into nested maps. Anything but two maps: `over`.
NodePtr merge_maps(const NodePtr& over, const NodePtr& under);

}  // namespace viaduct::daemon::config
