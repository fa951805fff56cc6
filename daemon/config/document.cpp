#include "daemon/config/document.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace viaduct::daemon::config {
namespace {

using MutableNode = std::shared_ptr<Node>;

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::shared_ptr<const std::string> file, Report& report)
      : file_(std::move(file)), report_(report) {}

  NodePtr root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) report_.error(origin(mark), {}, "expected one YAML document, found two");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const MutableNode node = make(Node::Kind::null, mark, "?", anchor);
    if (!open_.empty() && open_.back().has_key) node->origin = open_.back().key_origin;
    add(node);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const MutableNode target = anchors_.at(anchor);
    const bool inside_itself = std::any_of(
        open_.begin(), open_.end(), [&](const Frame& frame) { return frame.node == target; });
    if (inside_itself) report_.error(origin(mark), {}, "an alias cannot be part of its own anchor");
    add(inside_itself ? make(Node::Kind::null, mark, "?", 0) : target);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const MutableNode node = make(Node::Kind::scalar, mark, tag, anchor);
    node->text = value;
    if (value.find('\0') != std::string::npos)
      report_.error(node->origin, {}, "NUL bytes are not allowed");
    add(node);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(make(Node::Kind::sequence, mark, tag, anchor));
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(make(Node::Kind::map, mark, tag, anchor));
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    MutableNode node;
    bool has_key = false;      // map: the next node is the value of `key`
    bool key_is_text = false;  // otherwise the entry has been reported and is left out
    std::string key;
    Origin key_origin;
  };

  Origin origin(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  MutableNode make(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
                   YAML::anchor_t anchor) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->origin = origin(mark);
    // "?" and "!" are what yaml-cpp calls the absence of a tag: plain, and quoted.
    if (!tag.empty() && tag != "?" && tag != "!")
      report_.error(node->origin, {}, "YAML tags are not supported, found " + tag);
    if (anchor != 0) anchors_[anchor] = node;
    return node;
  }

  void open(const MutableNode& node) { open_.push_back({node, false, false, {}, {}}); }

  void close() {
    const MutableNode done = open_.back().node;
    open_.pop_back();
    add(done);
  }

  void add(const MutableNode& node) {
    if (open_.empty()) {
      if (!root_) root_ = node;
      return;
    }
    Frame& frame = open_.back();
    if (frame.node->kind == Node::Kind::sequence) {
      frame.node->items.push_back(node);
    } else if (frame.has_key) {
      if (frame.key_is_text)
        frame.node->entries.push_back({std::move(frame.key), std::move(frame.key_origin), node});
      frame.has_key = false;
    } else {
      frame.key_is_text = node->kind == Node::Kind::scalar;
      if (!frame.key_is_text) report_.error(node->origin, {}, "expected text as a key");
      frame.has_key = true;
      frame.key = node->text;
      frame.key_origin = node->origin;
    }
  }

  std::shared_ptr<const std::string> file_;
  Report& report_;
  int documents_ = 0;
  NodePtr root_;
  std::vector<Frame> open_;
  std::map<YAML::anchor_t, MutableNode> anchors_;
};

}  // namespace

const Entry* find_entry(const Node& map, std::string_view key) {
  const auto found = std::find_if(map.entries.begin(), map.entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == map.entries.end() ? nullptr : &*found;
}

NodePtr parse_document(const std::string& text, std::shared_ptr<const std::string> file,
                       Report& report) {
  const auto nothing = std::make_shared<Node>();
  nothing->origin = {file, 1, 1};
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    TreeBuilder builder(file, report);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.root() ? builder.root() : nothing;
  } catch (const YAML::Exception& failure) {
    Origin where;
    if (!failure.mark.is_null()) where = {file, failure.mark.line + 1, failure.mark.column + 1};
    report.error(where ? where : nothing->origin, {}, "YAML: " + failure.msg);
    return nothing;
  }
}

NodePtr merge_maps(const NodePtr& over, const NodePtr& under) {
  if (over->kind != Node::Kind::map || under->kind != Node::Kind::map) return over;
  auto merged = std::make_shared<Node>(*over);
  for (Entry& entry : merged->entries)
    if (const Entry* below = find_entry(*under, entry.key))
      entry.value = merge_maps(entry.value, below->value);
  for (const Entry& entry : under->entries)
    if (!find_entry(*over, entry.key)) merged->entries.push_back(entry);
  return merged;
}

}  // namespace viaduct::daemon::config
