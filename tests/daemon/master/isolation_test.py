#!/usr/bin/env python3
"""Every key of `isolation`, and what else a worker is given at its start, seen from inside a worker
of the real viaductd. Each worker is a shell script that tells what it finds on stderr.

    isolation_test.py VIADUCTD [unittest arguments]
"""

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import viaductd_test
from viaductd_test import PATIENCE, ROOT, Daemon


def script(text):
    return json.dumps(["/bin/sh", "-c", text + "\nexec sleep 100000"])


def status(*fields):
    pattern = "|".join(fields)
    return rf"grep -E '^({pattern}):' /proc/self/status | tr '\t' ' ' | sed 's/^/found /' >&2"


def mounts_refused():
    """Why this environment lets nobody have a mount namespace; None when it does."""
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"],
        capture_output=True,
        text=True,
    )
    return None if tried.returncode == 0 else tried.stderr.strip()


class IsolationTest(unittest.TestCase):
    def worker(self, text, user=None, **keys):
        """A daemon with one worker that runs the script."""
        daemon = Daemon(user=user)
        self.addCleanup(daemon.close)
        app = {"command": script(text), "probe": "false", "workers": 1, "directory": "/"}
        daemon.configure({"web": app | keys})
        daemon.start()
        return daemon

    def found(self, daemon, text):
        daemon.logged(rf"found {re.escape(text)}(?=$|[ \n])")

    def refused(self, daemon, *texts):
        self.assertEqual(daemon.process.wait(PATIENCE), 78)
        for text in texts:
            self.assertIn(text, daemon.text())


@unittest.skipUnless(ROOT, "only root may take what these keys take")
class RootTest(IsolationTest):
    def test_nothing_but_new_privileges_is_taken_by_default(self):
        lines = Path("/proc/self/status").read_text().splitlines()
        own = dict(line.split(":\t", 1) for line in lines)
        daemon = self.worker(status("NoNewPrivs", "CapBnd", "CapEff", "Cpus_allowed_list"))
        self.found(daemon, "NoNewPrivs: 1")
        self.found(daemon, f"CapBnd: {own['CapBnd']}")
        self.found(daemon, "CapEff: 0000000000000000")
        self.found(daemon, f"Cpus_allowed_list: {own['Cpus_allowed_list']}")

    def test_no_new_privs(self):
        daemon = self.worker(status("NoNewPrivs"), isolation="{no_new_privs: false}")
        self.found(daemon, "NoNewPrivs: 0")

    def test_nice(self):
        daemon = self.worker("echo found nice $(nice) >&2", isolation="{nice: 7}")
        self.found(daemon, "nice 7")

    def test_cpus(self):
        last = max(os.sched_getaffinity(0))
        daemon = self.worker(status("Cpus_allowed_list"), isolation=f"{{cpus: [{last}]}}")
        self.found(daemon, f"Cpus_allowed_list: {last}")

    def test_limits(self):
        text = "grep -E '^Max (open files|core file size)' /proc/self/limits | sed 's/^/found /; s/  */ /g' >&2"
        daemon = self.worker(text, isolation="{nofile: 123, core: 4MiB}")
        self.found(daemon, "Max open files 123 123")
        self.found(daemon, "Max core file size 4194304 4194304")

    def test_no_capability_is_left_to_a_user(self):
        text = status("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
        daemon = self.worker(text, isolation="{capabilities: []}")
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.found(daemon, f"{name}: 0000000000000000")

    def test_listed_capabilities_are_those_of_the_program(self):
        text = status("Uid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
        listed = "[CAP_NET_BIND_SERVICE, CAP_CHECKPOINT_RESTORE]"
        daemon = self.worker(text, isolation=f"{{capabilities: {listed}}}")
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.found(daemon, f"{name}: 0000010000000400")
        uid = pwd.getpwnam("daemon").pw_uid
        self.found(daemon, " ".join(["Uid:"] + [str(uid)] * 4))

    def test_root_has_no_more_than_the_listed_capabilities(self):
        daemon = Daemon()
        self.addCleanup(daemon.close)
        text = status("CapPrm", "CapEff", "CapBnd")
        app = {"command": script(text), "probe": "false", "workers": 1, "directory": "/"}
        daemon.configure({"web": app | {"isolation": "{capabilities: [CAP_KILL]}"}})
        path = daemon.directory / "viaduct.yaml"
        path.write_text(path.read_text().replace("user: daemon", "user: root\n    allow_root: true"))
        daemon.start()
        for name in ("CapPrm", "CapEff", "CapBnd"):
            self.found(daemon, f"{name}: 0000000000000020")

    def test_private_tmp(self):
        if reason := mounts_refused():
            self.skipTest(reason)
        with tempfile.NamedTemporaryFile(prefix="vdm-", dir="/tmp") as outside:
            text = f"""
[ -e {outside.name} ] || echo found nothing from outside >&2
echo x >/tmp/vdm-inside && echo x >/var/tmp/vdm-inside && echo found both writable >&2
grep -c ' /tmp .* - tmpfs ' /proc/self/mountinfo | sed 's/^/found tmpfs /' >&2
stat -c 'found mode %a' /tmp >&2"""
            daemon = self.worker(text, isolation="{private_tmp: true}")
            self.found(daemon, "nothing from outside")
            self.found(daemon, "both writable")
            self.found(daemon, "tmpfs 1")
            self.found(daemon, "mode 1777")
        self.assertFalse(Path("/tmp/vdm-inside").exists())
        self.assertFalse(Path("/var/tmp/vdm-inside").exists())

    def test_read_only(self):
        if reason := mounts_refused():
            self.skipTest(reason)
        place = Path(tempfile.mkdtemp(prefix="vdm-"))
        self.addCleanup(shutil.rmtree, place)
        place.chmod(0o777)
        for name in ("data", "cache"):
            (place / name).mkdir()
            (place / name).chmod(0o777)
        text = f"""
touch {place}/data/inside 2>&1 | sed 's/^.*: /found data: /' >&2
touch {place}/cache/inside && echo found cache writable >&2"""
        daemon = self.worker(text, isolation=f"{{read_only: [{place}/data]}}")
        self.found(daemon, "data: Read-only file system")
        self.found(daemon, "cache writable")
        self.assertFalse((place / "data/inside").exists())
        (place / "data/outside").write_text("the same directory is writable elsewhere")

    def test_whole_root_read_only_but_tmp(self):
        if reason := mounts_refused():
            self.skipTest(reason)
        text = """
touch /tmp/vdm-inside && echo found tmp writable >&2
touch /run/lock/vdm-inside 2>&1 | sed 's/^.*: /found lock: /' >&2"""
        daemon = self.worker(text, isolation="{read_only: [/], private_tmp: true}")
        self.found(daemon, "tmp writable")
        self.found(daemon, "lock: Read-only file system")

    def jail(self):
        """A root directory with nothing but a shell and what it is linked with."""
        jail = Path(tempfile.mkdtemp(prefix="vdm-jail-"))
        self.addCleanup(shutil.rmtree, jail)
        jail.chmod(0o755)
        linked = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=True)
        for file in ["/bin/sh", *re.findall(r"(/\S+) \(0x", linked.stdout)]:
            target = jail / file.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        for name in ("srv", "tmp", "data"):
            (jail / name).mkdir()
            (jail / name).chmod(0o777)
        return jail

    def jailed(self, jail, text, isolation):
        daemon = Daemon()
        self.addCleanup(daemon.close)
        words = json.dumps(["sh", "-c", f"{text}\nkill -STOP $$"])
        app = {"command": words, "probe": "false", "workers": 1, "env": "{PATH: /bin}"}
        daemon.configure({"web": app | {"isolation": isolation.format(jail)}})
        daemon.start()
        return daemon

    def test_chroot(self):
        jail = self.jail()
        text = "echo found $(pwd): /* >&2; [ -d /etc ] || echo found no etc >&2"
        daemon = self.jailed(jail, text, "{{chroot: {}}}")
        names = " ".join(f"/{name}" for name in sorted(os.listdir(jail)))
        self.found(daemon, f"/: {names}")
        self.found(daemon, "no etc")

    def test_chroot_with_mounts(self):
        if reason := mounts_refused():
            self.skipTest(reason)
        jail = self.jail()
        text = """
echo x >/data/inside || echo found data closed >&2
echo x >/srv/inside && echo found srv open >&2
echo x >/tmp/inside && echo found tmp open >&2"""
        daemon = self.jailed(jail, text, "{{chroot: {}, read_only: [/data], private_tmp: true}}")
        self.found(daemon, "data closed")
        self.found(daemon, "srv open")
        self.found(daemon, "tmp open")
        self.assertEqual([(jail / "srv/inside").exists(), (jail / "tmp/inside").exists()], [True, False])

    def test_program_that_the_chroot_lacks(self):
        jail = self.jail()
        (jail / "bin/sh").unlink()
        daemon = self.jailed(jail, "", "{{chroot: {}}}")
        daemon.logged(rf"web: exec sh in {jail}: No such file or directory \(ENOENT\)")

    def test_change_restarts_the_app(self):
        daemon = self.worker("echo found nice $(nice) >&2", isolation="{nice: 3}")
        self.found(daemon, "nice 3")
        path = daemon.directory / "viaduct.yaml"
        path.write_text(path.read_text().replace("nice: 3", "nice: 4"))
        daemon.told("READY=1")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.logged(r"web restarted \(isolation changed\)")
        self.found(daemon, "nice 4")

    def test_paths_that_do_not_exist(self):
        for isolation, text in (
            ("{chroot: /nonexistent, optional: true}", "apps.web.isolation.chroot: /nonexistent: No such"),
            ("{chroot: /etc/passwd}", "apps.web.isolation.chroot: /etc/passwd is not a directory"),
            ("{read_only: [/etc, /nonexistent]}", "isolation.read_only[1]: /nonexistent: No such"),
            ("{cpus: [0, 1023]}", "isolation.cpus: not available: viaductd may not use CPU 1023"),
        ):
            with self.subTest(isolation):
                self.refused(self.worker("", isolation=isolation), text)

    def test_account_umask_directory_and_environment(self):
        text = """
echo found user $(id -un) group $(id -gn) groups $(id -Gn) >&2
echo found umask $(umask) in $(pwd) >&2
echo found A=$A HOME=$HOME USER=$USER SECRET=$SECRET >&2"""
        keys = {"group": "games", "groups": "[mail, news]", "umask": '"0027"', "env": "{A: one}"}
        app = {"command": script(text), "probe": "false", "workers": 1, "directory": "/usr"} | keys
        for clear, secret in (("true", ""), ("false", "hidden")):
            with self.subTest(clear_env=clear):
                daemon = Daemon()
                self.addCleanup(daemon.close)
                daemon.configure({"web": app | {"clear_env": clear}})
                daemon.start(environment={"SECRET": "hidden"})
                home = pwd.getpwnam("daemon").pw_dir
                self.found(daemon, "user daemon group games groups games mail news")
                self.found(daemon, "umask 0027 in /usr")
                self.found(daemon, f"A=one HOME={home} USER=daemon SECRET={secret}")


class UnprivilegedTest(IsolationTest):
    """What an ordinary user may not take is refused with its place, or left out when optional."""

    ROWS = (
        ("chroot: /usr", "chroot", "lacks CAP_SYS_CHROOT"),
        ("nice: -5", "nice", "lacks CAP_SYS_NICE"),
        ("private_tmp: true", "private_tmp", "lacks CAP_SYS_ADMIN"),
        ("read_only: [/etc]", "read_only", "lacks CAP_SYS_ADMIN"),
        ("capabilities: []", "capabilities", "lacks CAP_SETPCAP"),
        ("nofile: 1073741824", "nofile", "more than fs.nr_open or the hard limit of viaductd"),
    )

    def setUp(self):
        self.user = pwd.getpwnam("nobody") if ROOT else None

    def test_refused_at_the_start(self):
        for keys, key, reason in self.ROWS:
            with self.subTest(keys):
                daemon = self.worker("", user=self.user, isolation=f"{{{keys}}}")
                self.refused(daemon, f"apps.web.isolation.{key}: not available: ", reason)
                self.assertRegex(daemon.text(), r"viaduct\.yaml:\d+:\d+: apps\.web\.isolation")

    def test_left_out_when_optional(self):
        for keys, key, reason in self.ROWS:
            with self.subTest(keys):
                daemon = self.worker(
                    "echo found life >&2",
                    user=self.user,
                    isolation=f"{{{keys}, optional: true}}",
                )
                self.found(daemon, "life")
                self.assertIn(f"apps.web.isolation.{key}: not available, left out: ", daemon.text())

    def test_what_needs_no_privilege_is_given(self):
        text = "echo found nice $(nice) files $(ulimit -n) >&2; " + status("NoNewPrivs")
        isolation = "{nice: 19, nofile: 64, core: 0, cpus: [%d]}" % min(os.sched_getaffinity(0))
        daemon = self.worker(text, user=self.user, isolation=isolation)
        self.found(daemon, "nice 19 files 64")
        self.found(daemon, "NoNewPrivs: 1")

    def test_check_warns_of_what_the_service_may_be_allowed(self):
        daemon = self.worker("", user=self.user, isolation="{private_tmp: true}")
        daemon.process.wait(PATIENCE)
        words = [viaductd_test.VIADUCTD, "--check", "-c", daemon.directory / "viaduct.yaml"]
        user = {"user": self.user.pw_uid, "group": self.user.pw_gid} if self.user else {}
        checked = subprocess.run(words, capture_output=True, text=True, **user)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn("isolation.private_tmp: not available to this process", checked.stderr)


if __name__ == "__main__":
    viaductd_test.VIADUCTD = sys.argv.pop(1)
    unittest.main()
