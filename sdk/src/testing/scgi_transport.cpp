#include "sdk/src/testing/cgi_transport.hpp"

namespace viaduct {
inline namespace v1 {
namespace testing {
namespace {

std::string encode(const CgiVariables& variables) {
  std::string block;
  const auto append = [&block](std::string_view name, std::string_view value) {
    block.append(name).push_back('\0');
    block.append(value).push_back('\0');
  };
  // CONTENT_LENGTH has to be the first and SCGI has to be there.
  append(variables.front().first, variables.front().second);
  append("SCGI", "1");
  for (auto item = variables.begin() + 1; item != variables.end(); ++item) {
    append(item->first, item->second);
  }
  return std::to_string(block.size()) + ':' + block + ',';
}

}  // namespace

std::unique_ptr<Transport> make_scgi_transport() {
  return std::make_unique<CgiTransport>(encode);
}

}  // namespace testing
}  // namespace v1
}  // namespace viaduct
