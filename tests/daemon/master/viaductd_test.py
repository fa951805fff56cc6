#!/usr/bin/env python3
"""The master as a whole: the real viaductd with its real bridge, and programs that need no SDK.

    viaductd_test.py VIADUCTD [unittest arguments]
"""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = os.geteuid() == 0
VIADUCTD = None
PATIENCE = 60  # seconds; long, because the machine may be busy


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited in vain: {what}")


def children(pid):
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    except FileNotFoundError:
        return ""


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def watched_by_a_sanitizer():
    program = Path(VIADUCTD).read_bytes()
    return any(name in program for name in (b"__asan_init", b"__tsan_init"))


class Daemon:
    """One viaductd with a directory, a notification socket and a log of its own."""

    def __init__(self, user=None):
        self.user = user
        self.directory = Path(tempfile.mkdtemp(prefix="vdm-"))
        self.directory.chmod(0o755)
        self.program = self.directory / "viaductd"
        shutil.copy2(VIADUCTD, self.program)
        self.log = self.directory / "log"
        self.process = None
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.notify.bind(str(self.directory / "notify"))
        (self.directory / "notify").chmod(0o777)
        self.notify.settimeout(PATIENCE)
        if user:
            os.chown(self.directory, user.pw_uid, user.pw_gid)

    def configure(self, apps, listener="unix:{}/web.sock", extra=""):
        keys = [f"runtime_dir: {self.directory}/run", extra, "apps:"]
        for name, app in apps.items():
            keys.append(f"  {name}:")
            if ROOT and not self.user:
                keys.append("    user: daemon")
            keys += [f"    {key}: {value}" for key, value in app.items()]
        first = next(iter(apps))
        address = listener.format(self.directory)
        keys.append(f'listeners: [{{protocol: fastcgi, address: "{address}", app: {first}}}]')
        (self.directory / "viaduct.yaml").write_text("\n".join(keys) + "\n")

    def start(self, environment=None, inherited=None):
        words = [self.program, "-c", self.directory / "viaduct.yaml"]
        if inherited:
            # LISTEN_PID is only known in the child: a shell sets it and becomes viaductd.
            script = f'exec 3<&{inherited.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@"'
            words = ["/bin/bash", "-c", script, "sh", *words]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                words,
                pass_fds=[inherited.fileno()] if inherited else [],
                stderr=log,
                stdin=subprocess.DEVNULL,
                user=self.user.pw_uid if self.user else None,
                group=self.user.pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
                env={
                    "PATH": "/usr/bin:/bin",
                    "NOTIFY_SOCKET": str(self.directory / "notify"),
                    **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")},
                    **(environment or {}),
                },
            )

    def told(self, text):
        """The next notification that contains `text`."""
        while True:
            message = self.notify.recv(4096).decode()
            if text in message:
                return message

    def text(self):
        return self.log.read_text()

    def logged(self, pattern):
        try:
            return wait_for(lambda: re.search(pattern, self.text()), pattern)
        except AssertionError as error:
            raise AssertionError(f"{error} in\n{self.text()}") from None

    def bridges(self):
        return [p for p in children(self.process.pid) if command(p) == "viaductd: bridge"]

    def workers(self):
        return [p for p in children(self.process.pid) if command(p) == "/bin/sleep"]

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.notify.close()
        shutil.rmtree(self.directory, ignore_errors=True)


SLEEPER = {"command": '[/bin/sleep, "100000"]', "probe": "false", "workers": 2}


class MasterTest(unittest.TestCase):
    def daemon(self, **keys):
        daemon = Daemon(**keys)
        self.addCleanup(daemon.close)
        return daemon

    def sleeping(self, **keys):
        daemon = self.daemon(**keys)
        daemon.configure({"web": SLEEPER})
        daemon.start()
        daemon.told("READY=1")
        return daemon

    def end(self, daemon, number, status=0):
        daemon.process.send_signal(number)
        self.assertEqual(daemon.process.wait(PATIENCE), status)

    def test_idle_daemon_ends_cleanly(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            with self.subTest(number):
                daemon = self.sleeping()
                processes = children(daemon.process.pid)
                self.assertEqual(len(processes), 3)
                self.end(daemon, number)
                self.assertFalse([p for p in processes if running(p)])
                self.assertFalse((daemon.directory / "web.sock").exists())
                self.assertEqual(list((daemon.directory / "run").iterdir()), [])

    def test_service_manager_is_told(self):
        daemon = self.sleeping()
        daemon.process.send_signal(signal.SIGHUP)
        self.assertRegex(daemon.told("RELOADING=1"), r"MONOTONIC_USEC=\d+")
        self.assertIn("STATUS=generation 2: serving", daemon.told("READY=1"))
        daemon.process.send_signal(signal.SIGTERM)
        daemon.told("STOPPING=1")
        self.assertEqual(daemon.process.wait(PATIENCE), 0)

    def test_failing_app_does_not_fail_the_service(self):
        daemon = self.daemon()
        daemon.configure({"web": SLEEPER, "bad": {"command": "[/bin/false]", "workers": 1}})
        daemon.start()
        self.assertIn("STATUS=generation 1: failing: bad", daemon.told("READY=1"))
        daemon.logged(r"bad: worker exited with status 1 before it was ready .*worker=bad/1")

    def test_never_ready_worker_is_killed_and_started_again(self):
        daemon = self.daemon()
        app = {"command": '[/bin/sleep, "100000"]', "timeouts": "{start: 300ms}", "workers": 1}
        daemon.configure({"web": app})
        daemon.start()
        daemon.logged(r"web: worker was not ready within timeouts\.start, killed")
        first = re.search(r"worker started .*pid=(\d+)", daemon.text()).group(1)
        daemon.logged(rf"worker started .*pid=(?!{first}\b)\d+")
        self.assertFalse(running(int(first)))

    def test_killed_master_leaves_nothing_and_its_traces_are_removed(self):
        daemon = self.sleeping()
        processes = children(daemon.process.pid)
        self.end(daemon, signal.SIGKILL, -signal.SIGKILL)
        wait_for(lambda: not any(running(p) for p in processes), "children died")
        left = [path for path in (daemon.directory / "run").iterdir() if path.is_dir()]
        self.assertEqual(len(left), 1)
        daemon.start()
        daemon.told("READY=1")
        self.assertNotIn(left[0], list((daemon.directory / "run").iterdir()))

    def test_bridge_shows_and_knows_little(self):
        daemon = self.daemon()
        daemon.configure({"web": SLEEPER})
        daemon.start(environment={"DATABASE_PASSWORD": "secret", "LANG": "C.UTF-8"})
        daemon.told("READY=1")
        (bridge,) = daemon.bridges()
        environment = Path(f"/proc/{bridge}/environ").read_bytes().split(b"\0")
        self.assertIn(b"LANG=C.UTF-8", environment)
        self.assertFalse([entry for entry in environment if b"secret" in entry])
        if ROOT and not watched_by_a_sanitizer():
            # Files of a process that may not be traced belong to root.
            self.assertNotEqual(os.stat(f"/proc/{bridge}/environ").st_uid, pwd.getpwnam("nobody").pw_uid)

    def test_killed_bridge_is_replaced_and_workers_stay(self):
        daemon = self.sleeping()
        workers = daemon.workers()
        (bridge,) = daemon.bridges()
        os.kill(bridge, signal.SIGKILL)
        wait_for(lambda: daemon.bridges() and daemon.bridges() != [bridge], "another bridge")
        self.assertEqual(daemon.workers(), workers)
        daemon.logged(r"bridge killed by SIGKILL generation=1")

    def test_killed_worker_is_replaced(self):
        daemon = self.sleeping()
        before = daemon.workers()
        os.kill(before[0], signal.SIGKILL)
        wait_for(lambda: len(daemon.workers()) == 2 and daemon.workers() != before, "a new worker")
        self.assertIn(before[1], daemon.workers())
        daemon.logged(rf"web: worker killed by SIGKILL .*pid={before[0]}")

    def test_runs_without_root(self):
        if not ROOT:
            self.skipTest("the other tests do")
        daemon = self.sleeping(user=pwd.getpwnam("nobody"))
        for pid in children(daemon.process.pid):
            self.assertEqual(os.stat(f"/proc/{pid}").st_uid, daemon.user.pw_uid)
        self.end(daemon, signal.SIGTERM)

    def test_inherited_socket_is_used_and_stays(self):
        daemon = self.daemon()
        daemon.configure({"web": SLEEPER}, listener="systemd:web")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(daemon.directory / "inherited"))
        listener.listen()
        daemon.start(inherited=listener)
        daemon.told("READY=1")
        self.end(daemon, signal.SIGTERM)
        self.assertTrue((daemon.directory / "inherited").exists())
        listener.close()

    def test_inherited_socket_must_be_named(self):
        daemon = self.daemon()
        daemon.configure({"web": SLEEPER})
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(daemon.directory / "inherited"))
        listener.listen()
        daemon.start(inherited=listener)
        self.assertEqual(daemon.process.wait(PATIENCE), 78)
        self.assertIn("systemd:web: inherited, but no listener names it", daemon.text())
        self.assertFalse((daemon.directory / "web.sock").exists())
        listener.close()

    def test_log_that_cannot_be_opened_is_a_configuration_error(self):
        daemon = self.daemon()
        daemon.configure({"web": SLEEPER}, extra="log: {to: /proc/viaduct/log}")
        daemon.start()
        self.assertEqual(daemon.process.wait(PATIENCE), 78)
        self.assertIn("the directory of the log, /proc/viaduct: ", daemon.text())

    def test_settings_for_the_next_start_are_named(self):
        daemon = self.sleeping()
        path = daemon.directory / "viaduct.yaml"
        path.write_text(path.read_text().replace("/run\n", "/elsewhere\n"))
        daemon.process.send_signal(signal.SIGHUP)
        daemon.logged("runtime_dir: a reload cannot change it; it stays as it is until restart")
        daemon.logged(r"generation 2: web kept; ready in \d+\.\d s")
        self.assertFalse((daemon.directory / "elsewhere").exists())

    def test_watchdog_is_fed_while_the_bridge_lives(self):
        daemon = self.daemon()
        daemon.configure({"web": SLEEPER})
        daemon.start(environment={"WATCHDOG_USEC": "9000000"})
        daemon.told("READY=1")
        daemon.told("WATCHDOG=1")
        (bridge,) = daemon.bridges()
        os.kill(bridge, signal.SIGSTOP)
        daemon.logged(rf"bridge makes no progress, killed pid={bridge}")
        wait_for(lambda: daemon.bridges() and daemon.bridges() != [bridge], "another bridge")


if __name__ == "__main__":
    VIADUCTD = sys.argv.pop(1)
    unittest.main()
