#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <viaduct/router.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The routes of a Router: a tree whose levels are path segments, so that finding one costs the
/// length of the path and not the number of routes. Patterns and precedence: see Router.
class RouteTree {
 public:
  void add(std::string_view methods, std::string_view pattern, Handler handler);

  struct Match {
    const Handler* handler = nullptr;                 ///< null: none for this method
    const std::vector<std::string>* names = nullptr;  ///< of the captures
    std::vector<std::string> allowed;                 ///< without a handler: methods of this path
    bool malformed = false;                           ///< an escape in the path is malformed
  };

  /// `values` receives what the captures matched, decoded, in the order of Match::names.
  [[nodiscard]] Match match(std::string_view method, std::string_view raw_path,
                            std::vector<std::string>& values) const;

 private:
  struct Endpoint {
    std::string method;
    Handler handler;
    std::vector<std::string> names;
  };
  // Children are indices into nodes_; 0, the root, stands for none.
  struct Node {
    std::vector<std::pair<std::string, std::uint32_t>> text;
    std::uint32_t number = 0;
    std::uint32_t any = 0;
    std::uint32_t tail = 0;
    std::vector<Endpoint> endpoints;
  };
  struct Search {
    std::string_view method;
    std::string_view path;
    std::vector<std::string>& values;
    Match match;
  };

  std::uint32_t child(std::uint32_t parent, std::string_view segment,
                      std::vector<std::string>& names, bool& tail);
  bool visit(std::uint32_t node, std::size_t at, Search& search) const;
  bool visit_capture(std::uint32_t node, std::string_view value, std::size_t next,
                     Search& search) const;
  static bool finish(const Node& node, Search& search);

  std::vector<Node> nodes_ = std::vector<Node>(1);
};

/// Lets the library see what a Router holds.
struct RouterAccess {
  static const RouteTree& routes(const Router& router) { return *router.routes_; }
};

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
