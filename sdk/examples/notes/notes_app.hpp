#pragma once

#include <memory>
#include <string>
#include <vector>

#include <viaduct/app.hpp>

#include "store.hpp"

namespace notes {

/// What the application depends on. main() fills it from options, a test from temporary files.
struct Dependencies {
  Store& store;                   ///< outlives the app
  std::vector<std::string> keys;  ///< that sign sessions, see viaduct::Sessions
};

/// Pages, forms and a JSON interface to the notes of a store:
///
///     GET  /                     list, and ?q=words to search
///     POST /name                 says who is writing; /name/forget takes it back
///     POST /notes                a new note; a form, with files as attachments
///     GET  /notes/ID             one note, with its form for those who may change it
///     POST /notes/ID             changes it
///     POST /notes/ID/delete
///     GET  /notes/ID/files/FILE  an attachment
///     /api/notes                 the same for programs, see json_api.hpp
///
/// Everybody may read; a note is changed by whoever wrote it, as far as sessions tell.
[[nodiscard]] std::unique_ptr<viaduct::App> make_app(const Dependencies& dependencies);

}  // namespace notes
