// Mistakes in listeners and their routes.

#include <gtest/gtest.h>

#include "tests/daemon/config/mistakes.hpp"

namespace viaduct::daemon::config {
namespace {

TEST(Mistakes, InAListener) {
  expect_each(
      {
          {"address: unix:/s",
           "main.yaml:2:13: listeners[0]: expected one of the keys \"app\" and \"routes\""},
          {"app: shop", "main.yaml:2:13: listeners[0]: expected the key \"address\""},
          {"adress: unix:/s, address: unix:/s, app: shop",
           "main.yaml:2:14: listeners[0].adress: unknown key; did you mean \"address\"?"},
          {"address: unix:/s, app: shop, routes: [{app: shop}]",
           "main.yaml:2:51: listeners[0].routes: expected only one of \"app\" and \"routes\""},
          {"address: unix:/s, app: shop, odd_names: keep",
           "main.yaml:2:54: listeners[0].odd_names: not allowed with fastcgi: only http"},
          {"address: unix:/s, app: shop, protocol: http, odd_names: kept",
           "main.yaml:2:70: listeners[0].odd_names: expected drop or keep"},
          {"address: unix:/s, app: shp",
           "main.yaml:2:37: listeners[0].app: no app named \"shp\"; did you mean \"shop\"?"},
          {"address: unix:/s, routes: []",
           "main.yaml:2:40: listeners[0].routes: expected at least one route"},
          {"address: unix:/s, routes: [{path: blog, app: shop}]",
           "main.yaml:2:48: listeners[0].routes[0].path: expected a path that begins with /, "
           "without ? # * { }"},
          {"address: unix:/s, routes: [{path: /blog}]",
           "main.yaml:2:41: listeners[0].routes[0]: expected the key \"app\""},
          {"address: unix:/s, routes: [{path: /blog, app: shop}, {path: /blog/, app: shop}]",
           "main.yaml:2:67: listeners[0].routes[1]: duplicate route /blog; the first is at "
           "main.yaml:2:41"},
          {"address: unix:/s, routes: [{host: a.test:80, app: shop}]",
           "main.yaml:2:48: listeners[0].routes[0].host: expected a host such as shop.example.org "
           "or *.example.org, without a port"},
          {"address: unix:/s, routes: [{host: http://a.test, app: shop}]",
           "main.yaml:2:48: listeners[0].routes[0].host: expected a host such as shop.example.org "
           "or *.example.org, without a port"},
          {"address: unix:/s, routes: [{host: \"*\", app: shop}]",
           "main.yaml:2:48: listeners[0].routes[0].host: expected a host such as shop.example.org "
           "or *.example.org, without a port"},
          {"address: unix:/s, routes: [{host: \"*.*.test\", app: shop}]",
           "main.yaml:2:48: listeners[0].routes[0].host: expected a host such as shop.example.org "
           "or *.example.org, without a port"},
          {"address: unix:/s, routes: [{host: a..test, app: shop}]",
           "main.yaml:2:48: listeners[0].routes[0].host: expected a host such as shop.example.org "
           "or *.example.org, without a port"},
          {"address: unix:/s, routes: [{host: \"*a.test\", app: shop}]",
           "main.yaml:2:48: listeners[0].routes[0].host: expected a host such as shop.example.org "
           "or *.example.org, without a port"},
          {"address: unix:/s, routes: [{host: \"[::1]:80\", app: shop}]",
           "main.yaml:2:48: listeners[0].routes[0].host: expected a host such as shop.example.org "
           "or *.example.org, without a port"},
          {"address: unix:/s, routes: [{host: \"[]\", app: shop}]",
           "main.yaml:2:48: listeners[0].routes[0].host: expected a host such as shop.example.org "
           "or *.example.org, without a port"},
          {"address: unix:/s, routes: [{host: ä.test, app: shop}]",
           "main.yaml:2:48: listeners[0].routes[0].host: expected a host such as shop.example.org "
           "or *.example.org, without a port"},
          {"address: unix:/s, routes: [{host: \"*.\", app: shop}]",
           "main.yaml:2:48: listeners[0].routes[0].host: expected a host such as shop.example.org "
           "or *.example.org, without a port"},
          {"address: unix:/s, routes: [{methods: [get], app: shop}]",
           "main.yaml:2:52: listeners[0].routes[0].methods[0]: expected a method in capital "
           "letters, such as GET"},
          {"address: unix:/s, routes: [{methods: [\"GET POST\"], app: shop}]",
           "main.yaml:2:52: listeners[0].routes[0].methods[0]: expected a method in capital "
           "letters, such as GET"},
          {"address: unix:/s, routes: [{methods: [\"*\"], app: shop}]",
           "main.yaml:2:52: listeners[0].routes[0].methods[0]: expected a method in capital "
           "letters, such as GET"},
          {"address: unix:/s, routes: [{methods: GET, app: shop}]",
           "main.yaml:2:51: listeners[0].routes[0].methods: expected a list, found text"},
          {"address: unix:/s, routes: [{methods: [], app: shop}]",
           "main.yaml:2:51: listeners[0].routes[0].methods: expected at least one method"},
          {"address: unix:/s, routes: [{header: X_Beta, app: shop}]",
           "main.yaml:2:50: listeners[0].routes[0].header: expected the name of a header field, or "
           "NAME=VALUE"},
          {"address: unix:/s, routes: [{header: \"=1\", app: shop}]",
           "main.yaml:2:50: listeners[0].routes[0].header: expected the name of a header field, or "
           "NAME=VALUE"},
          {"address: unix:/s, routes: [{header: \"X Beta\", app: shop}]",
           "main.yaml:2:50: listeners[0].routes[0].header: expected the name of a header field, or "
           "NAME=VALUE"},
          {"address: unix:/s, routes: [{exact: blog, app: shop}]",
           "main.yaml:2:49: listeners[0].routes[0].exact: expected a path that begins with /, "
           "without ? # * { }"},
          {"address: unix:/s, routes: [{exact: /a, path: /b, app: shop}]",
           "main.yaml:2:49: listeners[0].routes[0].exact: expected only one of \"path\" and "
           "\"exact\""},
          {"address: unix:/s, routes: [{exact: /a, mount: true, app: shop}]",
           "main.yaml:2:60: listeners[0].routes[0].mount: a prefix is what moves: expected "
           "\"path\" instead of \"exact\""},
          {"address: unix:/s, routes: [{app: shop}], default: shop",
           "main.yaml:2:64: listeners[0].default: no request is left for it: the route at "
           "main.yaml:2:41 takes all"},
          {"address: unix:/s, routes: [{path: /a, app: shop}], default: shp",
           "main.yaml:2:74: listeners[0].default: no app named \"shp\"; did you mean \"shop\"?"},
          {"address: unix:/s, app: shop, default: shop",
           "main.yaml:2:52: listeners[0].default: no request is left for it: \"app\" takes all"},
          {"address: unix:/s, routes: [{host: A.test, methods: [GET], app: shop}, {host: a.test., "
           "methods: [GET], app: shop}]",
           "main.yaml:2:84: listeners[0].routes[1]: duplicate route a.test/ GET; the first is at "
           "main.yaml:2:41"},
          {"address: unix:/s, routes: [{mount: yes, app: shop}]",
           "main.yaml:2:49: listeners[0].routes[0].mount: expected true or false"},
          {"address: unix:/s, routes: [{app: shop, priority: urgent}]",
           "main.yaml:2:63: listeners[0].routes[0].priority: expected high, normal or low"},
          {"address: unix:/s, routes: [{app: shop, limit: 1000001}]",
           "main.yaml:2:60: listeners[0].routes[0].limit: expected a whole number from 0 to "
           "1000000"},
          {"address: unix:/s, app: shop, protocol: fcgi",
           "main.yaml:2:53: listeners[0].protocol: expected fastcgi, scgi, uwsgi or http; did you "
           "mean \"scgi\"?"},
          {"address: unix:/s, app: shop, protocol: spdy",
           "main.yaml:2:53: listeners[0].protocol: expected fastcgi, scgi, uwsgi or http"},
          {"address: unix:/s, app: shop, protocol: http, head_body: pass",
           "main.yaml:2:70: listeners[0].head_body: expected drop: HTTP has no body in a response "
           "to HEAD"},
          {"address: unix:/s, app: shop, protocol: http, send_file: true",
           "main.yaml:2:70: listeners[0].send_file: expected false: HTTP clients deliver no files"},
          {"address: unix:/s, app: shop, send_file: x-sendfile",
           "main.yaml:2:54: listeners[0].send_file: expected true or false"},
          {"address: unix:/s, app: shop, head_body: keep",
           "main.yaml:2:54: listeners[0].head_body: expected pass or drop"},
          {"address: unix:/s, app: shop, mode: rw",
           "main.yaml:2:49: listeners[0].mode: expected an octal mode such as \"0660\""},
          {"address: unix:/s, app: shop, mode: 1777",
           "main.yaml:2:49: listeners[0].mode: expected an octal mode such as \"0660\""},
          {"address: unix:/s, app: shop, owner: nobody1",
           "main.yaml:2:50: listeners[0].owner: no user named \"nobody1\" on this system"},
          {"address: unix:/s, app: shop, group: nogroup1",
           "main.yaml:2:50: listeners[0].group: no group named \"nogroup1\" on this system"},
          {"address: unix:/s, app: shop, backlog: 0",
           "main.yaml:2:52: listeners[0].backlog: expected a whole number from 1 to 65535"},
          {"address: unix:/s, app: shop, backlog: 65536",
           "main.yaml:2:52: listeners[0].backlog: expected a whole number from 1 to 65535"},
          {"address: unix:/s, app: shop, allow: [10.0.0.0/8]",
           "main.yaml:2:51: listeners[0].allow[0]: expected uid:NAME or gid:NAME for a Unix "
           "socket"},
          {"address: unix:/s, app: shop, allow: [uid:nobody1]",
           "main.yaml:2:51: listeners[0].allow[0]: no user named \"nobody1\" on this system"},
          {"address: unix:/s, app: shop, trusted: [\"gid:\"]",
           "main.yaml:2:53: listeners[0].trusted[0]: expected a name or number after gid:"},
          {"address: unix:@s, app: shop, mode: 0660",
           "main.yaml:2:49: listeners[0].mode: only allowed with unix:/path, which is a file"},
          {"address: systemd:web, app: shop, mode: 0660",
           "main.yaml:2:53: listeners[0].mode: not allowed with systemd: the socket unit decides "
           "it"},
          {"address: systemd:web, app: shop, owner: root",
           "main.yaml:2:54: listeners[0].owner: not allowed with systemd: the socket unit decides "
           "it"},
          {"address: systemd:web, app: shop, group: root",
           "main.yaml:2:54: listeners[0].group: not allowed with systemd: the socket unit decides "
           "it"},
          {"address: tcp:0.0.0.0:80, app: shop",
           "main.yaml:2:23: listeners[0].address: tcp:0.0.0.0:80 can be reached from other "
           "machines: expected \"allow\" with the peers that may connect"},
          {"address: \"tcp:[::]:80\", app: shop, allow: []",
           "main.yaml:2:23: listeners[0].address: tcp:[::]:80 can be reached from other machines: "
           "expected \"allow\" with the peers that may connect"},
          {"address: tcp:127.0.0.1:80, app: shop, allow: [uid:shop]",
           "main.yaml:2:60: listeners[0].allow[0]: expected an IP address or a network such as "
           "10.0.0.0/8 for TCP"},
          {"address: tcp:127.0.0.1:80, app: shop, allow: [10.0.0.5/8]",
           "main.yaml:2:60: listeners[0].allow[0]: the address has bits set beyond its prefix "
           "length"},
          {"address: tcp:127.0.0.1:80, app: shop, allow: [10.0.0.0/33]",
           "main.yaml:2:60: listeners[0].allow[0]: expected a prefix length from 0 to 32 after "
           "'/'"},
          {"address: tcp:127.0.0.1:80, app: shop, trusted: [front]",
           "main.yaml:2:62: listeners[0].trusted[0]: expected an IP address, a network such as "
           "10.0.0.0/8, uid:NAME or gid:NAME"},
          {"address: tcp:127.0.0.1:80, app: shop, protocol: http, trusted: [127.0.0.1]",
           "main.yaml:2:77: listeners[0].trusted: expected the key \"forwarded\" beside it: "
           "x-forwarded-for or forwarded, whichever field these proxies append the client's "
           "address to, or none to believe neither"},
          {"address: tcp:127.0.0.1:80, app: shop, forwarded: x-real-ip",
           "main.yaml:2:63: listeners[0].forwarded: expected x-forwarded-for, forwarded, none or "
           "pass"},
          {"address: tcp:127.0.0.1:80, app: shop, forwarded: forwarded",
           "main.yaml:2:63: listeners[0].forwarded: expected \"trusted\" with the proxies whose "
           "word it is"},
          {"address: tcp:127.0.0.1:80, app: shop, proxy_protocol: v2",
           "main.yaml:2:68: listeners[0].proxy_protocol: expected true or false"},
          {"address: tcp:127.0.0.1:80, app: shop, proxy_protocol: true",
           "main.yaml:2:68: listeners[0].proxy_protocol: expected \"trusted\" with the proxies "
           "whose word it is"},
          {"address: unix:/s, app: shop, trusted: [10.0.0.1], proxy_protocol: true",
           "main.yaml:2:52: listeners[0].trusted: expected uid:NAME or gid:NAME of the processes "
           "that connect to the Unix socket"},
          {"address: unix:/s, app: shop, trusted: [10.0.0.1], forwarded: x-forwarded-for",
           "main.yaml:2:52: listeners[0].trusted: expected uid:NAME or gid:NAME of the processes "
           "that connect to the Unix socket"},
          {"address: unix:/s, app: shop, trusted: [10.0.0.1]",
           "main.yaml:2:53: listeners[0].trusted[0]: expected uid:NAME or gid:NAME for a Unix "
           "socket"},
          {"address: tcp:127.0.0.1:80, app: shop, forwarded_host: maybe",
           "main.yaml:2:68: listeners[0].forwarded_host: expected true or false"},
          {"address: tcp:127.0.0.1:80, app: shop, forwarded_host: true",
           "main.yaml:2:68: listeners[0].forwarded_host: only allowed with \"forwarded: "
           "x-forwarded-for\" or \"forwarded: forwarded\""},
          {"address: tcp:127.0.0.1:80, app: shop, forwarded: none, forwarded_proto: true",
           "main.yaml:2:86: listeners[0].forwarded_proto: only allowed with \"forwarded: "
           "x-forwarded-for\" or \"forwarded: forwarded\""},
          {"address: tcp:127.0.0.1:80, app: shop, trusted: [127.0.0.1], forwarded: forwarded, "
           "forwarded_port: true",
           "main.yaml:2:112: listeners[0].forwarded_port: only allowed with \"forwarded: "
           "x-forwarded-for\": Forwarded has the port in host="},
          {"address: tcp:127.0.0.1:65536, app: shop",
           "main.yaml:2:23: listeners[0].address: expected a port from 1 to 65535 after tcp:HOST:"},
          {"address: tcp:127.0.0.1, app: shop",
           "main.yaml:2:23: listeners[0].address: expected tcp:HOST:PORT"},
          {"address: tcp:::1:80, app: shop",
           "main.yaml:2:23: listeners[0].address: expected tcp:HOST:PORT, IPv6 addresses as "
           "tcp:[::1]:PORT"},
      },
      kShop + "listeners: [{", "}]\n");
}

}  // namespace
}  // namespace viaduct::daemon::config
