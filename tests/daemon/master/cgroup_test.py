#!/usr/bin/env python3
"""Workers of the real viaductd in cgroups of their own, with memory, cpu and pids of `isolation` and
without. It starts in a cgroup of the test's own, as a service manager delegates one.

    cgroup_test.py VIADUCTD [unittest arguments]
"""

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import unittest
from pathlib import Path

import viaductd_test
from isolation_test import IsolationTest, script
from viaductd_test import PATIENCE, ROOT, Daemon, children, command, running, wait_for


def cgroup_mount():
    """Where cgroup v2 is mounted, or None and why it is of no use here."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            point = Path(line.split()[4])
            return (point, None) if os.access(point, os.W_OK) else (None, f"{point} is read-only")
    return None, "cgroup v2 is not mounted"


def controllers_refused(point):
    """Why memory, cpu and pids cannot be given to a new group below it; None when they can."""
    given = (point / "cgroup.controllers").read_text().split()
    missing = {"memory", "cpu", "pids"} - set(given)
    if missing:
        return f"{point} lacks the controllers {', '.join(sorted(missing))}"
    try:
        (point / "cgroup.subtree_control").write_text("+memory +cpu +pids")
    except OSError as error:
        return f"{point}/cgroup.subtree_control: {error.strerror}"
    return None


class InACgroup(IsolationTest):
    """Each daemon starts in `self.place`, a cgroup of the test's own."""

    def setUp(self):
        self.mount, reason = cgroup_mount()
        if reason:
            self.skipTest(reason)
        self.place = self.mount / f"viaduct-test-{os.getpid()}"
        self.place.mkdir()
        self.addCleanup(self.remove_place)

    def remove_place(self):
        (self.place / "cgroup.kill").write_text("1")
        for directory in [*self.place.iterdir(), self.place]:
            if directory.is_dir():
                wait_for(lambda: self.try_remove(directory), f"{directory} is empty")

    @staticmethod
    def try_remove(directory):
        try:
            directory.rmdir()
            return True
        except OSError:
            return False

    def delegate(self, user):
        for name in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
            os.chown(self.place / name, user.pw_uid, user.pw_gid)

    def started(self, text, user=None, **keys):
        """A daemon in the place, with one worker that runs the script."""
        daemon = Daemon(user=user)
        # Last added, first called: the daemon ends before its cgroup is removed.
        self.addCleanup(daemon.close)
        text = text.replace("MOUNT", str(self.mount))
        app = {"command": script(text), "probe": "false", "workers": 1, "directory": "/"}
        daemon.configure({"web": app | keys})
        before = Path("/proc/self/cgroup").read_text().split("0::", 1)[1].splitlines()[0]
        (self.place / "cgroup.procs").write_text(str(os.getpid()))
        try:
            daemon.start()
        finally:
            (self.mount / before.lstrip("/") / "cgroup.procs").write_text(str(os.getpid()))
        return daemon


def workers(daemon):
    return [p for p in children(daemon.process.pid) if command(p) == "sleep"]


def cgroup_of(pid):
    return Path(f"/proc/{pid}/cgroup").read_text().split("0::", 1)[1].splitlines()[0]


@unittest.skipUnless(ROOT, "root makes the cgroup that is delegated")
class EveryWorkerTest(InACgroup):
    """Workers without limits: no controller is needed."""

    # Left by the worker with nothing that tells whose it is: session, environment, parent.
    TEXT = """
env -i setsid sh -c 'sleep 100000 & echo left $$ $! >&2; wait' &
echo worker $$ >&2"""

    def left(self, daemon, worker):
        """The two processes of the first worker, whose pid is given."""
        found = daemon.logged(r"left (\d+) (\d+)")
        pids = [int(found.group(1)), int(found.group(2))]
        for pid in pids:
            wait_for(lambda: os.getsid(pid) != os.getsid(worker), "a session of its own")
        return pids

    def own(self, daemon):
        """The worker, when it is in a cgroup of its own."""
        (worker,) = wait_for(lambda: workers(daemon), "a worker")
        cgroup = self.mount / cgroup_of(worker).lstrip("/")
        self.assertEqual(cgroup.parent, self.place)
        self.assertRegex(cgroup.name, rf"^web\.{daemon.process.pid}\.\d+$")
        return worker, cgroup

    def check_that_it_ends(self, user=None):
        daemon = self.started(self.TEXT, user=user, timeouts="{stop: 1s}")
        worker, cgroup = self.own(daemon)
        pids = self.left(daemon, worker)
        self.assertEqual(cgroup_of(daemon.process.pid), f"/{self.place.name}", "master stays")
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: not any(map(running, pids)), "the end of what the worker has left")
        wait_for(lambda: not cgroup.exists(), "its cgroup is removed")
        successor = wait_for(lambda: set(workers(daemon)) - {worker}, "another worker").pop()
        self.assertNotEqual(cgroup_of(successor), cgroup_of(daemon.process.pid))

    def test_what_it_leaves_is_killed(self):
        self.check_that_it_ends()

    def test_what_it_leaves_is_killed_without_root(self):
        user = pwd.getpwnam("nobody")
        self.delegate(user)
        self.check_that_it_ends(user)

    def test_what_it_leaves_has_its_time(self):
        """An hour; the end of viaductd is also its own."""
        daemon = self.started(self.TEXT, timeouts="{stop: 1h}")
        worker, cgroup = self.own(daemon)
        pids = self.left(daemon, worker)
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: set(workers(daemon)) - {worker}, "another worker")
        self.assertTrue(all(map(running, pids)))
        daemon.process.send_signal(signal.SIGTERM)
        daemon.logged("stopping: open requests")
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.wait(PATIENCE)
        wait_for(lambda: not any(map(running, pids)), "the end of what the worker has left")
        self.assertEqual([p.name for p in self.place.iterdir() if p.is_dir()], [])

    def test_what_ends_by_itself_is_noticed(self):
        daemon = self.started(self.TEXT, timeouts="{stop: 1h}")
        worker, cgroup = self.own(daemon)
        pids = self.left(daemon, worker)
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: set(workers(daemon)) - {worker}, "another worker")
        self.assertTrue(cgroup.exists())
        for pid in reversed(pids):
            with contextlib.suppress(ProcessLookupError):  # it may end when its child has
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not cgroup.exists(), "its cgroup is removed")

    def test_what_a_killed_master_leaves_is_removed_by_the_next(self):
        daemon = self.started("", timeouts="{stop: 1s}")
        worker, cgroup = self.own(daemon)
        daemon.process.kill()
        daemon.process.wait()
        wait_for(lambda: not running(worker), "workers end with their master")
        self.assertTrue(cgroup.exists())
        self.own(self.started(""))
        self.assertFalse(cgroup.exists())

    def test_nothing_is_said_where_none_is_delegated(self):
        daemon = self.started(self.TEXT, user=pwd.getpwnam("nobody"))
        (worker,) = wait_for(lambda: workers(daemon), "a worker")
        daemon.told("READY=1")
        self.assertEqual(cgroup_of(worker), f"/{self.place.name}")
        self.assertNotIn("cgroup", daemon.text())


@unittest.skipUnless(ROOT, "root makes the cgroup that is delegated")
class CgroupTest(InACgroup):
    LIMITS = "{memory: 64MiB, cpu: 50, pids: 7}"
    TEXT = """
place=MOUNT$(sed -n 's/^0:://p' /proc/self/cgroup)
for file in memory.max memory.oom.group cpu.max pids.max; do
  echo found $file $(cat $place/$file) >&2
done
echo found place $place end >&2"""

    def setUp(self):
        super().setUp()
        if reason := controllers_refused(self.mount):
            self.skipTest(reason)

    def delegated(self, isolation, user=None):
        if user:
            self.delegate(user)
        return self.started(self.TEXT, user=user, isolation=isolation)

    def check(self, daemon):
        self.found(daemon, "memory.max 67108864")
        self.found(daemon, "memory.oom.group 1")
        self.found(daemon, "cpu.max 50000 100000")
        self.found(daemon, "pids.max 7")
        cgroup = Path(daemon.logged(r"found place (\S+) end").group(1))
        self.assertEqual(cgroup.parent, self.place)
        daemon.told("READY=1")
        own = Path(f"/proc/{daemon.process.pid}/cgroup").read_text()
        self.assertIn(f"0::/{self.place.name}/viaduct-daemon\n", own)
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.process.wait(PATIENCE), 0)
        self.assertFalse(cgroup.exists())

    def test_limits(self):
        self.check(self.delegated(self.LIMITS))

    def test_limits_without_root(self):
        self.check(self.delegated(self.LIMITS, user=pwd.getpwnam("nobody")))

    def test_memory_alone(self):
        self.found(self.delegated("{memory: 1GiB}"), "memory.max 1073741824")

    def test_cpu_alone(self):
        self.found(self.delegated("{cpu: 150}"), "cpu.max 150000 100000")

    def test_pids_alone(self):
        self.found(self.delegated("{pids: 9}"), "pids.max 9")

    def test_memory_beyond_the_limit_ends_the_worker(self):
        text = "head -c 200M /dev/zero | tail >/dev/null; echo found end >&2"
        self.TEXT = text
        daemon = self.delegated("{memory: 32MiB}")
        daemon.logged("web: worker killed by SIGKILL")
        self.assertNotIn("found end", daemon.text())

    def test_place_that_others_use_is_refused(self):
        stranger = subprocess.Popen(["sleep", "100000"])
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        (self.place / "cgroup.procs").write_text(str(stranger.pid))
        daemon = self.delegated(self.LIMITS)
        self.refused(daemon, "apps.web.isolation.memory: cgroup: ", "than those of viaductd (1)")


if __name__ == "__main__":
    viaductd_test.VIADUCTD = sys.argv.pop(1)
    unittest.main()
