#!/usr/bin/env python3
"""The sandbox of the bridge below the filter of system calls that a systemd unit has:
unit_filter_test.py UNIT BRIDGE_TEST.

Runs the tests of the sandbox in a process that may call only what SystemCallFilter= of the unit allows, as
systemd would. Exit status 77: systemd-analyze, which knows the groups of calls, is not there."""

import ctypes
import re
import shutil
import subprocess
import sys
from pathlib import Path

SKIPPED = 77
ERRNO_EPERM, ALLOW = 0x00050000 | 1, 0x7FFF0000
UNKNOWN = -1


def calls(name: str) -> set[str]:
    """The system calls of a group (@name), those of the groups in it included, or the one call."""
    if not name.startswith("@"):
        return {name}
    command = ["systemd-analyze", "syscall-filter", "--no-pager", name]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    words = [line.strip() for line in listing.splitlines()[1:]]
    return set().union(*(calls(word) for word in words if word and not word.startswith("#")))


def allowed(unit: Path) -> set[str]:
    """What the lines SystemCallFilter= leave; as systemd does, with @default always."""
    found = calls("@default")
    for line in unit.read_text().splitlines():
        if not line.startswith("SystemCallFilter="):
            continue
        words = line.partition("=")[2]
        named = set().union(*(calls(word) for word in words.removeprefix("~").split()))
        found = found - named if words.startswith("~") else found | named
    return found


def install(library: ctypes.CDLL, names: set[str]) -> None:
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(ERRNO_EPERM)))
    for name in names | {"execve"}:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number != UNKNOWN:
            library.seccomp_rule_add(context, ctypes.c_uint32(ALLOW), number, 0)
    if library.seccomp_load(context) != 0:
        raise OSError("seccomp_load")


def main() -> int:
    unit, program = Path(sys.argv[1]), sys.argv[2]
    if shutil.which("systemd-analyze") is None:
        print("systemd-analyze is not installed")
        return SKIPPED
    names = allowed(unit)
    assert "accept4" in names and "kexec_load" not in names, "the groups are not understood"
    library = ctypes.CDLL("libseccomp.so.2")
    tests = subprocess.run(
        [program, "--gtest_filter=SandboxTest.*"],
        preexec_fn=lambda: install(library, names),
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    print(tests.stdout)
    # GoogleTest is content when no test has the name, and when all are skipped.
    passed = re.search(r"^\[  PASSED  \] (\d+) test", tests.stdout, re.MULTILINE)
    if tests.returncode == 0 and (passed is None or int(passed[1]) == 0):
        print("no test has run")
        return 1
    return tests.returncode


if __name__ == "__main__":
    sys.exit(main())
