// Decides for the web server who may come in (FastCGI's Authorizer role, section 6.3): names and
// passwords of a file, a line `name:hash` each, as `openssl passwd -6` makes them.
//
// Apache (mod_authnz_fcgi) asks with the name and password that it has read itself, as variables;
// lighttpd (mode "authorizer") passes the Authorization field on.
#include <crypt.h>

#include <array>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <viaduct/viaduct.hpp>

namespace {

constexpr std::size_t kMaxCredentials = 1024;  // bytes of the field

struct Credentials {
  std::string name;
  std::string password;
};

// RFC 7617 section 2
std::optional<Credentials> read_basic(std::string_view field) {
  if (!field.starts_with("Basic ") || field.size() > kMaxCredentials) return std::nullopt;
  const std::string encoded(field.substr(6));
  std::array<unsigned char, kMaxCredentials> decoded{};
  const int size =
      EVP_DecodeBlock(decoded.data(), reinterpret_cast<const unsigned char*>(encoded.data()),
                      static_cast<int>(encoded.size()));
  if (size < 0) return std::nullopt;
  std::string pair(reinterpret_cast<const char*>(decoded.data()), static_cast<std::size_t>(size));
  // Padding decodes to zero bytes.
  for (std::size_t i = encoded.size(); i > 0 && encoded[i - 1] == '='; --i) pair.pop_back();
  const std::size_t colon = pair.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{pair.substr(0, colon), pair.substr(colon + 1)};
}

std::optional<Credentials> credentials_of(const viaduct::Request& req) {
  const auto name = req.env("REMOTE_USER");
  const auto password = req.env("REMOTE_PASSWD");
  if (name && password) return Credentials{std::string(*name), std::string(*password)};
  return read_basic(req.headers().get("Authorization").value_or(""));
}

class Users {
 public:
  void load(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
      const std::size_t colon = line.find(':');
      if (colon == std::string::npos || colon == 0) {
        throw std::runtime_error(path + ':' + std::to_string(number) + ": not name:hash");
      }
      hashes_[line.substr(0, colon)] = line.substr(colon + 1);
    }
    if (hashes_.empty()) throw std::runtime_error(path + ": no users, or not readable");
  }

  [[nodiscard]] bool know(const Credentials& given) const {
    const auto user = hashes_.find(given.name);
    // A name that nobody has takes as long as a wrong password.
    const std::string& hash = user != hashes_.end() ? user->second : hashes_.begin()->second;
    const auto data = std::make_unique<crypt_data>();
    const char* const made = ::crypt_r(given.password.c_str(), hash.c_str(), data.get());
    return made != nullptr && user != hashes_.end() && std::strlen(made) == hash.size() &&
           CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
  }

 private:
  std::map<std::string, std::string> hashes_;
};

}  // namespace

int main(int argc, char** argv) {
  std::string path = "gate.users";
  Users users;
  viaduct::App app;
  app.option("users", "File of name:hash lines", path);
  app.on_startup([&] { users.load(path); });
  // Every path is asked for: none of them is a route.
  app.use([&users](viaduct::Request& req, viaduct::Response& res, const viaduct::Handler&) {
    const auto given = credentials_of(req);
    bool welcome = false;
    if (given) viaduct::blocking([&] { welcome = users.know(*given); });
    if (!welcome) {
      viaduct::Fields fields;
      fields.set("WWW-Authenticate", "Basic realm=\"gate\", charset=\"UTF-8\"");
      throw viaduct::http_error(401, "Who are you?", fields);
    }
    res.variable("GATE_USER", given->name);
  });
  return viaduct::run(argc, argv, app);
}
