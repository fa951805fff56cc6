#pragma once

#include <string>
#include <string_view>

namespace viaduct::test {

/// Builds multipart/form-data bodies.
class FormBody {
 public:
  static constexpr std::string_view kType = "multipart/form-data; boundary=cut-here";

  FormBody& field(std::string_view name, std::string_view value) {
    return part("form-data; name=\"" + std::string(name) + '"', {}, value);
  }
  FormBody& file(std::string_view name, std::string_view filename, std::string_view content,
                 std::string_view type = "application/octet-stream") {
    return part(
        "form-data; name=\"" + std::string(name) + "\"; filename=\"" + std::string(filename) + '"',
        type, content);
  }
  FormBody& part(std::string_view disposition, std::string_view type, std::string_view content) {
    text_.append("--cut-here\r\nContent-Disposition: ").append(disposition);
    if (!type.empty()) text_.append("\r\nContent-Type: ").append(type);
    text_.append("\r\n\r\n").append(content).append("\r\n");
    return *this;
  }
  [[nodiscard]] std::string unfinished() const { return text_; }
  [[nodiscard]] std::string end() const { return text_ + "--cut-here--\r\n"; }

 private:
  std::string text_;
};

}  // namespace viaduct::test
