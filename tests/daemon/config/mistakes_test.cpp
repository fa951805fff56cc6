// Every mistake in these tables is the only one in its file, and its message is given whole.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/config/config_dir.hpp"

namespace viaduct::daemon::config {
namespace {

using testing::ElementsAre;

struct Mistake {
  std::string yaml;
  std::string message;
};

void expect_each(const std::vector<Mistake>& mistakes, const std::string& before,
                 const std::string& after) {
  for (const Mistake& mistake : mistakes) {
    const ConfigDir dir;
    const LoadResult result = dir.load(before + mistake.yaml + after);
    EXPECT_FALSE(result.settings);
    EXPECT_THAT(dir.texts(result.errors), ElementsAre(mistake.message)) << mistake.yaml;
  }
}

const std::string kShop = "apps: {shop: {command: [/srv/shop/bin/shop], user: shop}}\n";
const std::string kListener = "listeners: [{address: unix:/run/web.sock, app: shop}]\n";

TEST(Mistakes, OfAppsThatConnect) {
  const std::string refused = ": not allowed with \"connect\": others run the servers of this app";
  expect_each(
      {
          {"connect: []", "main.yaml:3:14: apps.shop.connect: expected at least one address"},
          {"connect: unix:/x", "main.yaml:3:14: apps.shop.connect: expected a list, found text"},
          {"connect: [/x]",
           "main.yaml:3:15: apps.shop.connect[0]: expected unix:/path, unix:@name, tcp:HOST:PORT "
           "or systemd:NAME"},
          {"connect: [unix:/x, systemd:web]",
           "main.yaml:3:24: apps.shop.connect[1]: expected unix:/path, unix:@name or "
           "tcp:HOST:PORT"},
          {"connect: [tcp:db.example.org:9000]",
           "main.yaml:3:15: apps.shop.connect[0]: expected an IP address: names of hosts are not "
           "supported yet"},
          {"connect: [unix:/x, unix:@x, unix:/x]",
           "main.yaml:3:33: apps.shop.connect[2]: unix:/x is already in the list"},
      },
      "apps:\n  shop:\n    ", "\nlisteners: [{address: unix:/run/web.sock, app: shop}]\n");
  for (const std::string key :
       {"directory: /srv", "env: {A: b}", "env_file: [-/x]", "clear_env: true", "user: shop",
        "group: shop", "groups: []", "allow_root: false", "umask: \"0022\"", "isolation: {nice: 1}",
        "workers: 2", "poison: {deaths: 0}", "probe: true", "stop_signal: SIGTERM",
        "crash_dir: /srv", "canary: {command: [/srv/shop/bin/shop], share: 5%}"}) {
    expect_each({{key, "main.yaml:4:5: apps.shop." + key.substr(0, key.find(':')) + refused}},
                "apps:\n  shop:\n    connect: [unix:/x]\n    ",
                "\nlisteners: [{address: unix:/run/web.sock, app: shop}]\n");
  }
  for (const std::string& key :
       {std::string("concurrency: {model: threads}"), std::string("limits: {requests: 5}"),
        std::string("limits: {age: 5s}"), std::string("limits: {memory: 1MiB}")}) {
    const auto inner = key.find('{') + 1;
    expect_each({{key, "main.yaml:4:" + std::to_string(5 + inner) + ": apps.shop." +
                           key.substr(0, key.find(':')) + '.' +
                           key.substr(inner, key.find(':', inner) - inner) + refused}},
                "apps:\n  shop:\n    connect: [unix:/x]\n    ",
                "\nlisteners: [{address: unix:/run/web.sock, app: shop}]\n");
  }
}

TEST(Mistakes, InTheMainMap) {
  expect_each(
      {
          {"runtimedir: /run/x",
           "main.yaml:1:1: runtimedir: unknown key; did you mean \"runtime_dir\"?"},
          {"zzz: 1", "main.yaml:1:1: zzz: unknown key"},
          {"runtime_dir: [a]", "main.yaml:1:14: runtime_dir: expected a path, found a list"},
          {"runtime_dir:", "main.yaml:1:1: runtime_dir: expected a path, found nothing"},
          {"runtime_dir: \"\"", "main.yaml:1:14: runtime_dir: expected a path"},
          {"log: info", "main.yaml:1:6: log: expected a map, found text"},
          {"log: {level: infos}",
           "main.yaml:1:14: log.level: expected debug, info, warn or error; did you mean "
           "\"info\"?"},
          {"log: {level: 3}", "main.yaml:1:14: log.level: expected debug, info, warn or error"},
          {"log: {to: stdout}",
           "main.yaml:1:11: log.to: expected stderr, journal, syslog or a path with a slash"},
          {"log: {to: off}",
           "main.yaml:1:11: log.to: expected stderr, journal, syslog or a path with a slash"},
          {"log: {level: info, level: warn}",
           "main.yaml:1:20: log.level: duplicate key; it was first set at main.yaml:1:7"},
          {"access_log: {sample: 1.5}",
           "main.yaml:1:22: access_log.sample: expected a number from 0 to 1"},
          {"access_log: {sample: nan}",
           "main.yaml:1:22: access_log.sample: expected a number from 0 to 1"},
          {"access_log: {to: inherit}",
           "main.yaml:1:18: access_log.to: expected stderr, journal, syslog, off or a path with a "
           "slash"},
          {"bridge: {threads: 0}",
           "main.yaml:1:19: bridge.threads: expected a whole number from 1 to 256"},
          {"bridge: {threads: 010}",
           "main.yaml:1:19: bridge.threads: expected a whole number from 1 to 256"},
          {"bridge: {user: root}",
           "main.yaml:1:16: bridge.user: the bridge cannot run as root: expected another user"},
          {"bridge: {user: viadukt}",
           "main.yaml:1:16: bridge.user: no user named \"viadukt\" on this system"},
          {"bridge: {user: shop}",
           "main.yaml:2:52: apps.shop.user: user shop is the user of the bridge, which no app may "
           "share"},
          {"bridge: {groups: www-data}",
           "main.yaml:1:18: bridge.groups: expected a list, found text"},
          {"bridge: {groups: [www]}",
           "main.yaml:1:19: bridge.groups[0]: no group named \"www\" on this system"},
          {"limits: {memory: 64MB}",
           "main.yaml:1:18: limits.memory: expected a size such as 64KiB or 16MiB"},
          {"limits: {connections: -1}",
           "main.yaml:1:23: limits.connections: expected a whole number from 1 to 1000000"},
          {"control: tcp:127.0.0.1:1", "main.yaml:1:10: control.address: expected unix:/path"},
          {"control: {mode: 999}",
           "main.yaml:1:17: control.mode: expected an octal mode such as \"0660\""},
          {"control: {address: /run/x}",
           "main.yaml:1:20: control.address: expected unix:/path, unix:@name, tcp:HOST:PORT or "
           "systemd:NAME"},
          {"control: unix:/run/web.sock",
           "main.yaml:3:23: listeners[0].address: unix:/run/web.sock is already the address of "
           "control.address at main.yaml:1:10"},
          {"include: apps.d", "main.yaml:1:10: include: expected a list, found text"},
          {"include: [nothing.yaml]",
           "main.yaml:1:11: include[0]: nothing.yaml: No such file or directory (ENOENT)"},
          {"include: [main.yaml]",
           "main.yaml:1:11: include[0]: main.yaml is part of the configuration already"},
          {"<<: {log: {}}",
           "main.yaml:1:1: merging with << is not supported; keys that apps share go into "
           "\"defaults\""},
          {"defaults: {worker: 2}",
           "main.yaml:1:12: defaults.worker: unknown key; did you mean \"workers\"?"},
          {"defaults: {workers: none}",
           "main.yaml:1:21: defaults.workers: expected a whole number from 1 to 1024"},
          {"log: !custom {}", "main.yaml:1:6: YAML tags are not supported, found !custom"},
          {"? [a]\n: b", "main.yaml:1:3: expected text as a key"},
      },
      "", "\n" + kShop + kListener);
}

TEST(Mistakes, InYamlItself) {
  expect_each(
      {
          {"log: {level: info", "main.yaml:2:1: YAML: end of map flow not found"},
          {"log:\n\tlevel: info", "main.yaml:2:7: YAML: illegal map value"},
          {"log: {to: \"info", "main.yaml:2:1: YAML: end of map flow not found"},
          {"a: *nowhere", "main.yaml:1:4: YAML: the referenced anchor is not defined"},
          {"---\n---\nlog: {}", "main.yaml:2:1: expected one YAML document, found two"},
          {"- a", "main.yaml:1:1: expected a map, found a list"},
          {"log: {to: \"/x\\0y\"}", "main.yaml:1:11: NUL bytes are not allowed"},
      },
      "", "\n");
}

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

TEST(Mistakes, InAnApp) {
  expect_each(
      {
          {"workers: 0",
           "main.yaml:6:14: apps.shop.workers: expected a whole number from 1 to 1024"},
          {"workers: [2]",
           "main.yaml:6:14: apps.shop.workers: expected a whole number from 1 to "
           "1024, found a list"},
          {"workers: {min: 4, max: 3}",
           "main.yaml:6:20: apps.shop.workers.min: expected at most workers.max, which is 3"},
          {"workers: {min: 1, max: 3, spare: 4}",
           "main.yaml:6:38: apps.shop.workers.spare: expected at most workers.max, which is 3"},
          {"workers: {min: 0, max: 0}",
           "main.yaml:6:28: apps.shop.workers.max: expected a whole number from 1 to 1024"},
          {"workers: {min: 1025}",
           "main.yaml:6:20: apps.shop.workers.min: expected a whole number from 0 to 1024"},
          {"workers: {min: 1, idle: 60}",
           "main.yaml:6:29: apps.shop.workers.idle: expected a duration such as 250ms, 30s or 5m"},
          {"concurrency: {model: thread}",
           "main.yaml:6:26: apps.shop.concurrency.model: expected threads or fibers; did you mean "
           "\"threads\"?"},
          {"concurrency: {limit: 65536}",
           "main.yaml:6:26: apps.shop.concurrency.limit: expected a whole number from 1 to 65535"},
          {"timeouts: {start: 10}",
           "main.yaml:6:23: apps.shop.timeouts.start: expected a duration such as 250ms, 30s or "
           "5m"},
          {"timeouts: {start: 10 s}",
           "main.yaml:6:23: apps.shop.timeouts.start: expected a duration such as 250ms, 30s or "
           "5m"},
          {"timeouts: {request: -1s}",
           "main.yaml:6:25: apps.shop.timeouts.request: expected a duration such as 250ms, 30s or "
           "5m"},
          {"timeouts: {request: 99999999999d}",
           "main.yaml:6:25: apps.shop.timeouts.request: expected a duration such as 250ms, 30s or "
           "5m"},
          {"timeouts: {requests: 1s}",
           "main.yaml:6:16: apps.shop.timeouts.requests: unknown key; did you mean \"request\"?"},
          {"limits: {queue: 0}",
           "main.yaml:6:21: apps.shop.limits.queue: expected a whole number from 1 to 1000000"},
          {"limits: {params: 1023}",
           "main.yaml:6:22: apps.shop.limits.params: expected a size such as 64KiB or 16MiB, at "
           "least 1KiB"},
          {"limits: {body: 99999999999999999999}",
           "main.yaml:6:20: apps.shop.limits.body: expected a size such as 64KiB or 16MiB"},
          {"limits: {body: 8388608TiB}",
           "main.yaml:6:20: apps.shop.limits.body: expected a size such as 64KiB or 16MiB"},
          {"limits: {requests: -1}",
           "main.yaml:6:24: apps.shop.limits.requests: expected a whole number from 0 to "
           "4294967295"},
          {"limits: {age: 1}",
           "main.yaml:6:19: apps.shop.limits.age: expected a duration such as 250ms, 30s or 5m"},
          {"limits: {memory: 1G}",
           "main.yaml:6:22: apps.shop.limits.memory: expected a size such as 64KiB or 16MiB"},
          {"retry: always", "main.yaml:6:12: apps.shop.retry: expected never or idempotent"},
          {"probe: 1", "main.yaml:6:12: apps.shop.probe: expected true or false"},
          {"stop_signal: SIGSTOP",
           "main.yaml:6:18: apps.shop.stop_signal: expected a signal such as SIGTERM, SIGINT, "
           "SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2 or SIGWINCH"},
          {"send_file: x-accel",
           "main.yaml:6:16: apps.shop.send_file: expected off, x-accel-redirect or x-sendfile"},
          {"umask: 8", "main.yaml:6:12: apps.shop.umask: expected an octal mode such as \"0660\""},
          {"clear_env: off", "main.yaml:6:16: apps.shop.clear_env: expected true or false"},
          {"env: [A=1]", "main.yaml:6:10: apps.shop.env: expected a map, found a list"},
          {"env: {A: }", "main.yaml:6:11: apps.shop.env.A: expected text, found nothing"},
          {"env: {A: 1, A: 2}",
           "main.yaml:6:17: apps.shop.env.A: duplicate key; it was first set at main.yaml:6:11"},
          {"env: {VIADUCT_APP: x}",
           "main.yaml:6:11: apps.shop.env.VIADUCT_APP: VIADUCT_APP is reserved for viaductd"},
          {"env: {\"A=B\": x}",
           "main.yaml:6:11: apps.shop.env.A=B: expected the name of an environment variable, "
           "without = and blanks"},
          {"env_file: [/nowhere/env]",
           "main.yaml:6:16: apps.shop.env_file[0]: /nowhere/env: No such file or directory "
           "(ENOENT)"},
          {"env_file: /etc/env", "main.yaml:6:15: apps.shop.env_file: expected a list, found text"},
          {"params: {CONTENT_LENGTH: 3}",
           "main.yaml:6:14: apps.shop.params.CONTENT_LENGTH: CONTENT_LENGTH cannot be changed: it "
           "delimits the body"},
          {"params: {\"A B\": 3}",
           "main.yaml:6:14: apps.shop.params.A B: expected the name of a CGI variable: letters, "
           "digits, _ and -"},
          {"params: {VIADUCT_X: null}",
           "main.yaml:6:14: apps.shop.params.VIADUCT_X: VIADUCT_* variables are set by viaductd"},
          {"log: {to: nowhere}",
           "main.yaml:6:15: apps.shop.log.to: expected stderr, journal, syslog, inherit or a path "
           "with a slash"},
          {"canary: {share: 5%}", "main.yaml:6:13: apps.shop.canary: expected the key \"command\""},
          {"canary: {command: [/srv/shop/bin/shop]}",
           "main.yaml:6:13: apps.shop.canary: expected one of the keys \"share\" and \"header\""},
          {"canary: {command: [], share: 5%}",
           "main.yaml:6:23: apps.shop.canary.command: expected at least the program to run"},
          {"canary: {command: [/nowhere/next], share: 5%}",
           "shop/canary: exec /nowhere/next: No such file or directory (ENOENT): /nowhere does not "
           "exist"},
          {"canary: {command: [/srv/shop/bin/shop], header: X_Y}",
           "main.yaml:6:53: apps.shop.canary.header: expected the name of a header field: letters, "
           "digits and -"},
          {"probation: soon",
           "main.yaml:6:16: apps.shop.probation: expected a duration such as 250ms, 30s or 5m"},
          {"keepalive: true", "main.yaml:6:16: apps.shop.keepalive: not supported yet"},
          {"multiplex: auto", "main.yaml:6:16: apps.shop.multiplex: not supported yet"},
          {"protocol: uwsgi", "main.yaml:6:15: apps.shop.protocol: not supported yet"},
          {"health: {interval: 5s}", "main.yaml:6:13: apps.shop.health: not supported yet"},
          {"comand: [x]",
           "main.yaml:6:5: apps.shop.comand: unknown key; did you mean \"command\"?"},
          {"workers: {min: 0, most: 16}", "main.yaml:6:23: apps.shop.workers.most: unknown key"},
          {"canary: {command: [/srv/shop/bin/shop], share: 200%}",
           "main.yaml:6:52: apps.shop.canary.share: expected a percentage such as 5% or 0.5%, at "
           "most 100%"},
          {"canary: {command: [/srv/shop/bin/shop], share: 100.01%}",
           "main.yaml:6:52: apps.shop.canary.share: expected a percentage such as 5% or 0.5%, at "
           "most 100%"},
          {"canary: {command: [/srv/shop/bin/shop], share: 5}",
           "main.yaml:6:52: apps.shop.canary.share: expected a percentage such as 5% or 0.5%, at "
           "most 100%"},
          {"canary: {command: [/srv/shop/bin/shop], share: 0.005%}",
           "main.yaml:6:52: apps.shop.canary.share: expected a percentage such as 5% or 0.5%, at "
           "most 100%"},
          {"groups: [nogroup1]",
           "main.yaml:6:14: apps.shop.groups[0]: no group named \"nogroup1\" on this system"},
          {"group: nogroup1",
           "main.yaml:6:12: apps.shop.group: no group named \"nogroup1\" on this system"},
      },
      kListener + "apps:\n  shop:\n    command: [/srv/shop/bin/shop]\n    user: shop\n    ", "\n");
}

}  // namespace
}  // namespace viaduct::daemon::config
