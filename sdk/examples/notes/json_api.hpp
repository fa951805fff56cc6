#pragma once

#include <viaduct/router.hpp>

#include "store.hpp"

namespace notes {

/// The notes of a store for programs, as JSON. `store` outlives the router.
///
///     GET    /notes          [note, ...], newest first, ?q=words to search
///     POST   /notes          {"title": ..., "text": ...}: 201, Location and the note
///     GET    /notes/ID       {"id", "author", "title", "text", "files": [{"id", "filename"}, ...]}
///     PUT    /notes/ID       {"title": ..., "text": ...}: the note as it is now
///     DELETE /notes/ID       204
///
/// Who changes something says who they are as on the pages, by their session. A page of another
/// site cannot make their browser do so: application/json, PUT and DELETE need a permission that is
/// not given here (see viaduct::middleware::cors).
[[nodiscard]] viaduct::Router json_api(Store& store);

}  // namespace notes
