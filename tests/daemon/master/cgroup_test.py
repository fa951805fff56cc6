#!/usr/bin/env python3
"""memory, cpu and pids of `isolation`, seen from inside a worker of the real viaductd. It starts in
a cgroup of the test's own, as a service manager delegates one.

    cgroup_test.py VIADUCTD [unittest arguments]
"""

import os
import pwd
import signal
import subprocess
import sys
import unittest
from pathlib import Path

import viaductd_test
from isolation_test import IsolationTest, script
from viaductd_test import PATIENCE, ROOT, Daemon, wait_for


def cgroup_controllers():
    """The mount point of cgroup v2 when memory, cpu and pids can be given to a new group below it."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " not in line:
            continue
        point = Path(line.split()[4])
        given = (point / "cgroup.controllers").read_text().split()
        missing = {"memory", "cpu", "pids"} - set(given)
        if missing:
            return None, f"{point} lacks the controllers {', '.join(sorted(missing))}"
        try:
            (point / "cgroup.subtree_control").write_text("+memory +cpu +pids")
        except OSError as error:
            return None, f"{point}/cgroup.subtree_control: {error.strerror}"
        return point, None
    return None, "cgroup v2 is not mounted"


@unittest.skipUnless(ROOT, "root makes the cgroup that is delegated")
class CgroupTest(IsolationTest):
    LIMITS = "{memory: 64MiB, cpu: 50, pids: 7}"
    TEXT = """
place=MOUNT$(sed -n 's/^0:://p' /proc/self/cgroup)
for file in memory.max memory.oom.group cpu.max pids.max; do
  echo found $file $(cat $place/$file) >&2
done
echo found place $place end >&2"""

    def setUp(self):
        self.mount, reason = cgroup_controllers()
        if reason:
            self.skipTest(reason)
        self.place = self.mount / f"viaduct-test-{os.getpid()}"
        self.place.mkdir()
        self.addCleanup(self.remove_place)

    def remove_place(self):
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

    def delegated(self, isolation, user=None):
        """A daemon that starts in the test's cgroup."""
        if user:
            for name in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
                os.chown(self.place / name, user.pw_uid, user.pw_gid)
        daemon = Daemon(user=user)
        # Last added, first called: the daemon ends before its cgroup is removed.
        self.addCleanup(daemon.close)
        text = self.TEXT.replace("MOUNT", str(self.mount))
        app = {"command": script(text), "probe": "false", "workers": 1, "directory": "/"}
        daemon.configure({"web": app | {"isolation": isolation}})
        before = Path("/proc/self/cgroup").read_text().split("0::", 1)[1].splitlines()[0]
        (self.place / "cgroup.procs").write_text(str(os.getpid()))
        try:
            daemon.start()
        finally:
            (self.mount / before.lstrip("/") / "cgroup.procs").write_text(str(os.getpid()))
        return daemon

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
        self.refused(daemon, "apps.web.isolation.memory: cgroup: ", "holds 1 other processes")


if __name__ == "__main__":
    viaductd_test.VIADUCTD = sys.argv.pop(1)
    unittest.main()
