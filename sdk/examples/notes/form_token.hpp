#pragma once

#include <string>

#include <viaduct/request.hpp>
#include <viaduct/router.hpp>

namespace notes {

/// Against forms of other sites that a visitor's browser is made to send (CSRF): each session has a
/// secret that our forms send along as `csrf_token`. Both need viaduct::sessions() outside of them.

/// The session's secret, made if there is none yet; before the response starts.
[[nodiscard]] std::string form_token(viaduct::Request& req);

/// Middleware that answers 403 to a POST whose form lacks it.
[[nodiscard]] viaduct::Middleware require_form_token();

}  // namespace notes
