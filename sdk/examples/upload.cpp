// Streams a request body into a file, never holding more than a piece of it, and answers its size
// and SHA-256.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <openssl/evp.h>
#include <viaduct/viaduct.hpp>

namespace {

class Sha256 {
 public:
  Sha256() {
    if (context_ == nullptr || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
      throw std::runtime_error("SHA-256 is not available");
    }
  }
  void update(const char* bytes, std::size_t size) {
    if (EVP_DigestUpdate(context_.get(), bytes, size) != 1) throw std::runtime_error("SHA-256");
  }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1) {
      throw std::runtime_error("SHA-256");
    }
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
      text += "0123456789abcdef"[digest[i] >> 4];
      text += "0123456789abcdef"[digest[i] & 15];
    }
    return text;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

// A new file, removed again unless keep() is called.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& directory)
      : path_((directory / "upload-XXXXXX").string()), fd_(::mkostemp(path_.data(), O_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), path_);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    ::close(fd_);
    if (!kept_) ::unlink(path_.c_str());
  }
  void write(const char* bytes, std::size_t size) {
    while (size > 0) {
      const ssize_t written = ::write(fd_, bytes, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw std::system_error(errno, std::generic_category(), path_);
      bytes += written;
      size -= static_cast<std::size_t>(written);
    }
  }
  void keep() { kept_ = true; }
  [[nodiscard]] std::string name() const { return std::filesystem::path(path_).filename(); }

 private:
  std::string path_;
  int fd_;
  bool kept_ = false;
};

void upload(const std::string& directory, viaduct::Request& req, viaduct::Response& res) {
  NewFile file(directory);
  Sha256 sha256;
  std::uint64_t size = 0;
  std::array<char, 64 * 1024> piece;
  while (const std::size_t got = req.body().read(std::span<char>(piece))) {
    file.write(piece.data(), got);
    sha256.update(piece.data(), got);
    size += got;
  }
  file.keep();
  res.status(201).send(std::to_string(size) + ' ' + sha256.hex() + ' ' + file.name() + '\n');
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory = std::filesystem::temp_directory_path();
  viaduct::App app;
  app.option("upload-dir", "Where uploads go", directory);
  app.route("POST,PUT", "/upload", [&directory](viaduct::Request& req, viaduct::Response& res) {
    upload(directory, req, res);
  });
  return viaduct::run(argc, argv, app);
}
