#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <viaduct/export.hpp>
#include <viaduct/router.hpp>

namespace viaduct {
inline namespace v1 {
namespace detail {

/// The routes of a Router and of those mounted in it: a tree whose levels are path segments, so
/// that finding one costs the length of the path and not the number of routes. Patterns and
/// precedence: see Router.
///
/// Mounting adds every route again with the prefix in front. What is left of the mounted router is
/// a scope, which says whose middleware a route has around it.
class RouteTree {
 public:
  /// Index of a scope; 0 is the router itself.
  using ScopeId = std::uint32_t;

  struct Scope {
    ScopeId parent = 0;
    std::size_t depth = 0;  ///< path segments of the prefix, those of its parents included
    std::vector<Middleware> middleware;
  };

  void add(std::string_view methods, std::string_view pattern, Handler handler);
  void mount(std::string_view prefix, const RouteTree& other);
  void use(Middleware middleware);

  struct Match {
    const Handler* handler = nullptr;                 ///< null: none for this method
    const std::vector<std::string>* names = nullptr;  ///< of the captures
    std::vector<std::string> allowed;                 ///< without a handler: methods of this path
    bool malformed = false;                           ///< an escape in the path is malformed
    ScopeId scope = 0;  ///< without a handler: of the path; else of the innermost prefix
  };

  /// `values` receives what the captures matched, decoded, in the order of Match::names.
  [[nodiscard]] Match match(std::string_view method, std::string_view raw_path,
                            std::vector<std::string>& values) const;

  [[nodiscard]] const Scope& scope(ScopeId id) const { return scopes_[id]; }

  /// One sentence for every route that was left out because another one fits the same requests.
  [[nodiscard]] const std::vector<std::string>& conflicts() const { return conflicts_; }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  struct Endpoint {
    std::string method;
    std::string pattern;
    Handler handler;
    std::vector<std::string> names;
    ScopeId scope = 0;
  };
  // Children are indices into nodes_, mounted one into scopes_; 0 stands for none.
  struct Node {
    std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> text;
    std::uint32_t number = 0;
    std::uint32_t any = 0;
    std::uint32_t tail = 0;
    ScopeId mounted = 0;
    std::vector<Endpoint> endpoints;
  };
  struct Location {
    std::uint32_t node = 0;
    std::size_t depth = 0;
    std::vector<std::string> names;
    bool tail = false;
  };
  struct Search {
    std::string_view method;
    std::string_view path;
    std::vector<std::string>& values;
    Match match;
    ScopeId innermost = 0;    // scope of the longest prefix on the way
    std::size_t implied = 0;  // only routes of scopes this deep, because of an implied slash
  };

  Location locate(std::string_view pattern);
  void enter(Location& at, std::string_view segment);
  void add_endpoint(std::uint32_t node, Endpoint endpoint);
  void mark(const std::string& prefix, ScopeId id);

  bool visit(std::uint32_t node, std::size_t at, Search& search) const;
  bool visit_end(const Node& node, Search& search) const;
  bool visit_children(const Node& node, std::string_view segment, std::size_t at, std::size_t next,
                      Search& search) const;
  bool visit_capture(std::uint32_t node, std::string_view value, std::size_t next,
                     Search& search) const;
  bool finish(const Node& node, Search& search) const;

  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<Scope> scopes_ = std::vector<Scope>(1);
  std::vector<std::pair<std::string, ScopeId>> mounts_;
  std::vector<std::string> conflicts_;
};

/// Lets the library see what a Router holds.
struct RouterAccess {
  static const RouteTree& routes(const Router& router) { return *router.routes_; }
};

/// Throws std::logic_error when routes conflict, with a sentence for each.
VIADUCT_API void require_distinct_routes(const Router& router);

}  // namespace detail
}  // namespace v1
}  // namespace viaduct
