// Notes with attachments, kept in SQLite: a small complete application.
#include <array>
#include <iostream>
#include <stdexcept>
#include <string>

#include <openssl/rand.h>
#include <viaduct/viaduct.hpp>

#include "notes_app.hpp"

namespace {

// Good for one process until it ends; several workers need one key that they share.
std::string random_key() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("no random bytes");
  }
  return {bytes.begin(), bytes.end()};
}

std::string from_environment(const char* name, std::string otherwise) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : std::move(otherwise);
}

}  // namespace

int main(int argc, char** argv) try {
  notes::Store store(from_environment("NOTES_DATABASE", "notes.db"));
  const auto app =
      notes::make_app({.store = store, .keys = {from_environment("NOTES_KEY", random_key())}});
  return viaduct::run(argc, argv, *app);
} catch (const std::exception& error) {
  std::cerr << "notes: " << error.what() << '\n';
  return 70;
}
