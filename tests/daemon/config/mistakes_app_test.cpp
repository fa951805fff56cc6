// Mistakes in apps.

#include <gtest/gtest.h>

#include "tests/daemon/config/mistakes.hpp"

namespace viaduct::daemon::config {
namespace {

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
          {"connect: [tcp:10.0.0.256:9000]",
           "main.yaml:3:15: apps.shop.connect[0]: expected an IP address or the name of a host: "
           "letters, digits, - and _"},
          {"connect: [tcp:shop..test:9000]",
           "main.yaml:3:15: apps.shop.connect[0]: expected an IP address or the name of a host: "
           "letters, digits, - and _"},
          {"connect: [tcp:-shop.test:9000]",
           "main.yaml:3:15: apps.shop.connect[0]: expected an IP address or the name of a host: "
           "letters, digits, - and _"},
          {"connect: [unix:/x, unix:@x, unix:/x]",
           "main.yaml:3:33: apps.shop.connect[2]: unix:/x is already in the list"},
          {"{connect: [unix:/x], protocol: scgi, keepalive: true}",
           "main.yaml:3:53: apps.shop.keepalive: not allowed with \"protocol: scgi\": its "
           "connections carry one request"},
          {"{connect: [unix:/x], protocol: uwsgi, multiplex: auto}",
           "main.yaml:3:54: apps.shop.multiplex: not allowed with \"protocol: uwsgi\": its "
           "connections carry one request"},
          {"{connect: [unix:/x], protocol: http}",
           "main.yaml:3:36: apps.shop.protocol: expected fastcgi, scgi or uwsgi"},
          {"{connect: [unix:/x], health: {fail: 0}}",
           "main.yaml:3:41: apps.shop.health.fail: expected a whole number from 1 to 1000"},
          {"{connect: [unix:/x], health: {pass: 1001}}",
           "main.yaml:3:41: apps.shop.health.pass: expected a whole number from 1 to 1000"},
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
          {"buffer_responses: 64KiB",
           "main.yaml:6:23: apps.shop.buffer_responses: expected a map, found text"},
          {"buffer_responses: {memory: -1}",
           "main.yaml:6:32: apps.shop.buffer_responses.memory: expected a size such as 64KiB or "
           "16MiB"},
          {"buffer_responses: {file: 16777216TiB}",
           "main.yaml:6:30: apps.shop.buffer_responses.file: expected a size such as 64KiB or "
           "16MiB"},
          {"buffer_responses: {files: 0}",
           "main.yaml:6:24: apps.shop.buffer_responses.files: unknown key; did you mean "
           "\"file\"?"},
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
          {"keepalive: true", "main.yaml:6:16: apps.shop.keepalive: only allowed with \"connect\""},
          {"multiplex: auto", "main.yaml:6:16: apps.shop.multiplex: only allowed with \"connect\""},
          {"protocol: uwsgi", "main.yaml:6:15: apps.shop.protocol: only allowed with \"connect\""},
          {"health: {interval: 5s}",
           "main.yaml:6:13: apps.shop.health: only allowed with \"connect\""},
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
