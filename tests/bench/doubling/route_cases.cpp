#include <viaduct/router.hpp>

#include "daemon/bridge/dispatch/route_pattern.hpp"
#include "daemon/bridge/dispatch/route_table.hpp"
#include "protocol/pairs.hpp"
#include "sdk/src/path.hpp"
#include "sdk/src/route_tree.hpp"
#include "tests/bench/doubling/cases.hpp"

namespace viaduct::bench {

namespace {

using detail::RouteTree;

const Handler kNothing = [](Request&, Response&) {};

bool finds(const RouteTree& tree, std::string_view path, std::string_view method = "GET") {
  std::vector<std::string> values;
  return tree.match(method, path, values).handler != nullptr;
}

// Trees whose size grows: what is counted is one search, as the tree is made outside.
void add_tree(std::vector<Case>& cases, const std::string& name, std::size_t least,
              const std::function<void(RouteTree&, std::size_t)>& make,
              const std::function<bool(const RouteTree&, std::size_t)>& search) {
  const auto trees = std::make_shared<std::map<std::size_t, RouteTree>>();
  for (const std::size_t size : {least, 2 * least, 4 * least}) make((*trees)[size], size);
  cases.push_back({"routes: " + name, least,
                   [=](std::size_t size) { require(search(trees->at(size), size)); }});
}

void add_trees(std::vector<Case>& cases) {
  add_tree(
      cases, "a long pattern and a path that differs at its end", 200,
      [](RouteTree& tree, std::size_t n) {
        tree.add("GET", repeated("/a", n) + "/b", kNothing);
        tree.add("GET", "/{x}" + repeated("/a", n - 1) + "/b", kNothing);
      },
      [](const RouteTree& tree, std::size_t n) { return !finds(tree, repeated("/a", n) + "/c"); });
  // At many levels a path may go on by text, as a number or as any text.
  for (const char* const segment : {"1", "a"}) {
    add_tree(
        cases, std::string("three ways at many levels, path of /") + segment, 200,
        [](RouteTree& tree, std::size_t n) {
          for (const char* const way : {"1", "{n:int}", "{x}"}) {
            for (const char* const other : {"1", "{m:int}", "{y}"}) {
              tree.add("GET", std::string("/") + way + '/' + other + repeated("/1", n) + "/end",
                       kNothing);
              tree.add("GET", repeated("/1", n) + '/' + way + '/' + other + "/end", kNothing);
            }
          }
        },
        [segment](const RouteTree& tree, std::size_t n) {
          return !finds(tree, repeated(std::string("/") + segment, n + 2) + "/none");
        });
  }
  add_tree(
      cases, "tails at every level, another method", 100,
      [](RouteTree& tree, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
          tree.add("POST", repeated("/a", i) + "/{rest:path}", kNothing);
        }
      },
      [](const RouteTree& tree, std::size_t n) { return !finds(tree, repeated("/a", n)); });
  add_tree(
      cases, "many on one level", 500,
      [](RouteTree& tree, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) tree.add("GET", "/r" + std::to_string(i), kNothing);
      },
      [](const RouteTree& tree, std::size_t n) {
        bool all = true;
        for (std::size_t i = 0; i < n; ++i) all = all && finds(tree, "/r" + std::to_string(i));
        return all && !finds(tree, "/r");
      });
  cases.push_back({"routes: a tail of escapes", 2'000, [](std::size_t size) {
                     RouteTree tree;
                     tree.add("GET", "/{rest:path}", kNothing);
                     require(finds(tree, "/" + repeated("%2f", size)));
                   }});
}

void add_paths(std::vector<Case>& cases) {
  for (const char* const piece : {"/", "/a", "%41", "/%2e%2e", "/%2f"}) {
    cases.push_back({std::string("path of ") + piece, 2'000, [piece](std::size_t size) {
                       const std::string uri = "/" + repeated(piece, size);
                       detail::RequestPath path;
                       require(detail::derive_path({.request_uri = uri, .path_info = ""}, path));
                       detail::descend(path, size);
                     }});
  }
}

// The daemon's table: a host of many labels, and a path, before the routes of every host.
void add_table(std::vector<Case>& cases) {
  using daemon::bridge::RouteTable;
  const auto table = [] {
    return RouteTable({{.host = "*.example.org"}, {.host = "a.example.org", .path = "/a"}});
  };
  for (const char* const label : {"a.", ".", "[", ":"}) {
    cases.push_back({std::string("route table: host of ") + label, 2'000, [=](std::size_t size) {
                       protocol::Pairs params;
                       params.add("HTTP_HOST", repeated(label, size) + "example.com");
                       params.add("PATH_INFO", repeated("/a", size));
                       require(table().find(params) == nullptr);
                     }});
  }
  cases.push_back({"route pattern of a long path", 2'000, [](std::size_t size) {
                     std::string pattern;
                     daemon::bridge::route_pattern("GET", repeated("/", size) + "x1/y", pattern);
                     require(pattern == "GET /*/y");
                   }});
}

}  // namespace

std::vector<Case> route_cases() {
  std::vector<Case> cases;
  add_trees(cases);
  add_paths(cases);
  add_table(cases);
  return cases;
}

}  // namespace viaduct::bench
