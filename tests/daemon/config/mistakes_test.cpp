// Mistakes around the listeners and apps.

#include "tests/daemon/config/mistakes.hpp"

#include <gtest/gtest.h>

namespace viaduct::daemon::config {
namespace {

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
          {"limits: {memory: 1048575}",
           "main.yaml:1:18: limits.memory: expected at least 1MiB, or 0 for no limit"},
          {"limits: {body_rate: 1000000001}",
           "main.yaml:1:21: limits.body_rate: expected a whole number from 0 to 1000000000"},
          {"limits: {body_rate: 500B}",
           "main.yaml:1:21: limits.body_rate: expected a whole number from 0 to 1000000000"},
          {"limits: {spool: much}",
           "main.yaml:1:17: limits.spool: expected a size such as 64KiB or 16MiB"},
          {"bridge: {spool: [a]}", "main.yaml:1:17: bridge.spool: expected a path, found a list"},
          {"limits: {connections_per_client: 1000001}",
           "main.yaml:1:34: limits.connections_per_client: expected a whole number from 0 to "
           "1000000"},
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

}  // namespace
}  // namespace viaduct::daemon::config
