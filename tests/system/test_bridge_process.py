"""What other processes of the bridge's user can do to it."""

import os
import subprocess
import sys

import pytest

from harness import fastcgi
from harness.paths import ROOT

# As that user: exit status 0 when one of these succeeds.
ATTACK = """
import ctypes, sys
pid = int(sys.argv[1])
for name in ("environ", "mem", "maps", "auxv"):
    try:
        open(f"/proc/{pid}/{name}", "rb").read(1)
        sys.exit(0)
    except PermissionError:
        pass
PTRACE_ATTACH = 16
sys.exit(0 if ctypes.CDLL(None).ptrace(PTRACE_ATTACH, pid, None, None) == 0 else 1)
"""


@pytest.mark.skipif(not ROOT, reason="the bridge has a user of its own where viaductd is root")
def test_no_process_of_its_user_traces_or_reads_the_bridge(viaductd):
    viaductd.app("sdk")
    viaductd.start(environment={"PASSWORD": "hunter2"})
    assert fastcgi.request(viaductd.socket, "/hello").status == 200
    bridge = viaductd.bridge()
    with open(f"/proc/{bridge}/environ", "rb") as file:
        assert b"hunter2" not in file.read()
    with open(f"/proc/{bridge}/status") as file:
        uid = next(int(line.split()[1]) for line in file if line.startswith("Uid:"))
    assert uid != 0

    def attack(pid: int) -> int:
        return subprocess.run(
            ["/usr/bin/python3", "-c", ATTACK, str(pid)], user=uid, group=uid, extra_groups=[], timeout=60
        ).returncode

    # What the attack finds in a process that does not hide.
    with subprocess.Popen(["sleep", "1000"], user=uid, group=uid, extra_groups=[]) as sleeper:
        assert attack(sleeper.pid) == 0
        sleeper.kill()
    assert attack(bridge) == 1
    assert fastcgi.request(viaductd.socket, "/hello").status == 200
