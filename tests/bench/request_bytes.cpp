#include "tests/bench/request_bytes.hpp"

#include <fastcgi.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace viaduct::bench {
namespace {

void put_header(std::string& out, int type, std::uint16_t id, std::size_t content,
                std::size_t padding) {
  out.push_back(static_cast<char>(FCGI_VERSION_1));
  out.push_back(static_cast<char>(type));
  out.push_back(static_cast<char>(id >> 8));
  out.push_back(static_cast<char>(id & 0xff));
  out.push_back(static_cast<char>(content >> 8));
  out.push_back(static_cast<char>(content & 0xff));
  out.push_back(static_cast<char>(padding));
  out.push_back('\0');
}

void put_length(std::string& out, std::size_t length) {
  if (length < 128) {
    out.push_back(static_cast<char>(length));
    return;
  }
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    const auto byte = static_cast<unsigned char>(length >> shift);
    out.push_back(static_cast<char>(shift == 24 ? byte | 0x80U : byte));
  }
}

std::string variables(std::string_view uri) {
  const std::string_view path = uri.substr(0, uri.find('?'));
  const std::string_view query = path.size() < uri.size() ? uri.substr(path.size() + 1) : "";
  const std::array<std::pair<std::string_view, std::string_view>, 25> pairs{{
      {"QUERY_STRING", query},
      {"REQUEST_METHOD", "GET"},
      {"CONTENT_TYPE", ""},
      {"CONTENT_LENGTH", ""},
      {"SCRIPT_NAME", path},
      {"REQUEST_URI", uri},
      {"DOCUMENT_URI", path},
      {"DOCUMENT_ROOT", "/usr/share/nginx/html"},
      {"SERVER_PROTOCOL", "HTTP/1.1"},
      {"REQUEST_SCHEME", "http"},
      {"GATEWAY_INTERFACE", "CGI/1.1"},
      {"SERVER_SOFTWARE", "nginx/1.22.1"},
      {"REMOTE_ADDR", "127.0.0.1"},
      {"REMOTE_PORT", "52484"},
      {"SERVER_ADDR", "127.0.0.1"},
      {"SERVER_PORT", "8080"},
      {"SERVER_NAME", "localhost"},
      {"REDIRECT_STATUS", "200"},
      {"HTTP_HOST", "localhost:8080"},
      {"HTTP_USER_AGENT", "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101"},
      {"HTTP_ACCEPT", "text/html,*/*;q=0.8"},
      {"HTTP_ACCEPT_LANGUAGE", "en-US,en;q=0.5"},
      {"HTTP_ACCEPT_ENCODING", "gzip, deflate, br"},
      {"HTTP_CONNECTION", "keep-alive"},
      {"HTTP_COOKIE", "session=5f0c9a1e7d3b"},
  }};
  std::string out;
  for (const auto& [name, value] : pairs) {
    put_length(out, name.size());
    put_length(out, value.size());
    out.append(name).append(value);
  }
  return out;
}

}  // namespace

std::string get_request(std::uint16_t id, std::string_view uri) {
  const std::string params = variables(uri);
  if (params.size() > FCGI_MAX_LENGTH)
    throw std::length_error("the URI is too long for one record");
  const std::size_t padding = (8 - params.size() % 8) % 8;

  std::string out;
  put_header(out, FCGI_BEGIN_REQUEST, id, sizeof(FCGI_BeginRequestBody), 0);
  out.append({'\0', static_cast<char>(FCGI_RESPONDER), static_cast<char>(FCGI_KEEP_CONN)});
  out.append(5, '\0');
  put_header(out, FCGI_PARAMS, id, params.size(), padding);
  out.append(params).append(padding, '\0');
  put_header(out, FCGI_PARAMS, id, 0, 0);
  put_header(out, FCGI_STDIN, id, 0, 0);
  return out;
}

}  // namespace viaduct::bench
