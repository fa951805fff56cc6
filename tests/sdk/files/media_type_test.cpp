#include "sdk/src/files/media_type.hpp"

#include <utility>

#include <gtest/gtest.h>

namespace viaduct::detail {
namespace {

TEST(MediaType, GoesByTheLastExtension) {
  const std::pair<const char*, const char*> cases[] = {
      {"index.html", "text/html; charset=utf-8"},
      {"INDEX.HTML", "text/html; charset=utf-8"},
      {"app.min.js", "text/javascript; charset=utf-8"},
      {"a.tar.gz", "application/gzip"},
      {"font.woff2", "font/woff2"},
      {"x.7z", "application/x-7z-compressed"},
      {"x.zst", "application/zstd"},
      {"dir.html/file", "application/octet-stream"},
      {"dir.x/photo.JPG", "image/jpeg"},
      {".html", "application/octet-stream"},
      {"README", "application/octet-stream"},
      {"x.", "application/octet-stream"},
      {"x.unknown", "application/octet-stream"},
      {"", "application/octet-stream"},
  };
  for (const auto& [name, type] : cases) EXPECT_EQ(media_type(name), type) << name;
}

}  // namespace
}  // namespace viaduct::detail
