#include "form_token.hpp"

#include <array>
#include <stdexcept>
#include <string_view>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <viaduct/errors.hpp>
#include <viaduct/form.hpp>
#include <viaduct/session.hpp>

namespace notes {
namespace {

std::string random_token() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("no random bytes");
  }
  std::string token;
  for (const unsigned char byte : bytes) {
    token += "0123456789abcdef"[byte >> 4];
    token += "0123456789abcdef"[byte & 15];
  }
  return token;
}

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string form_token(viaduct::Request& req) {
  viaduct::Session& session = viaduct::session(req);
  if (const auto token = session.get("token")) return std::string(*token);
  std::string token = random_token();
  session.set("token", token);
  return token;
}

viaduct::Middleware require_form_token() {
  return [](viaduct::Request& req, viaduct::Response& res, const viaduct::Handler& next) {
    if (req.method() == "POST") {
      const std::string_view sent = req.form().values.get("csrf_token").value_or("");
      if (!equal(sent, viaduct::session(req).get("token").value_or("")) || sent.empty()) {
        throw viaduct::http_error(403, "This form is out of date. Go back and try again.");
      }
    }
    next(req, res);
  };
}

}  // namespace notes
