#pragma once

#include <string>
#include <string_view>

#include <viaduct/export.hpp>

namespace viaduct {
inline namespace v1 {

/// `text` with & < > " ' as character references: safe as HTML text and inside quoted attributes;
/// not in scripts, style sheets or as the address of a link. Other bytes stay as they are.
VIADUCT_API std::string html_escape(std::string_view text);

}  // namespace v1
}  // namespace viaduct
