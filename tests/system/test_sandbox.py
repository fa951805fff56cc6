"""The sandbox of the bridge on kernels that have less of it: the system calls that make it are refused to
viaductd, as an old kernel or a container does."""

import ctypes
import errno
import os
import re
import signal
import subprocess

import pytest

from harness import fastcgi
from harness.paths import BUILD
from harness.process import PATIENCE, wait_for
from harness.tool import Tool

SANITIZED = re.search(r"^VIADUCT_SANITIZE:\w+=.", (BUILD / "CMakeCache.txt").read_text(), re.MULTILINE)
pytestmark = pytest.mark.skipif(bool(SANITIZED), reason="sanitizers need what the sandbox takes")

CONFIGURATION = 78
ALLOW, ERRNO, EQUAL = 0x7FFF0000, 0x00050000, 4
PR_SET_SECCOMP = 22
LACKS = "the sandbox of the bridge lacks a part"


class Comparison(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def refuse(*calls: tuple) -> None:
    """In this process and all that it starts. Each call: its name, the errno, and the value of its first
    argument or None."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(ALLOW)))
    for name, error, first in calls:
        number = library.seccomp_syscall_resolve_name(name.encode())
        compared = [] if first is None else [Comparison(0, EQUAL, first, 0)]
        array = (Comparison * max(len(compared), 1))(*compared)
        action = ctypes.c_uint32(ERRNO | error)
        if library.seccomp_rule_add_array(context, action, number, len(compared), array) != 0:
            raise OSError(f"seccomp_rule_add_array {name}")
    if library.seccomp_load(context) != 0:
        raise OSError("seccomp_load")


def without_landlock() -> None:
    refuse(("landlock_create_ruleset", errno.ENOSYS, None))


def without_seccomp() -> None:
    refuse(("seccomp", errno.EPERM, None), ("prctl", errno.EPERM, PR_SET_SECCOMP))


NO_LANDLOCK = "landlock: Function not implemented (ENOSYS)"
NO_SECCOMP = "seccomp: Operation not permitted (EPERM)"
KERNELS = [(without_landlock, "seccomp", NO_LANDLOCK), (without_seccomp, "landlock", NO_SECCOMP)]


@pytest.fixture
def daemon(viaductd):
    viaductd.app("sdk")
    return viaductd


def another_bridge(daemon) -> None:
    old = daemon.bridge()
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: daemon.bridges() and daemon.bridges() != [old], "there is another bridge")
    wait_for(lambda: answers(daemon), "it serves")


def answers(daemon) -> bool:
    try:
        return fastcgi.request(daemon.socket, "/hello").status == 200
    except (OSError, AssertionError):
        return False


@pytest.mark.parametrize("kernel, left, lacks", KERNELS)
def test_what_the_kernel_lacks_is_said_once_and_shown(daemon, kernel, left, lacks):
    daemon.settings["bridge"] = {"sandbox": "auto"}
    daemon.start(preexec_fn=kernel)
    tool = Tool(daemon)
    part, _, why = lacks.partition(": ")
    assert f'part={part} error="{why}"' in daemon.logged(LACKS)
    for _ in range(2):
        assert tool.status()["sandbox"] == [left]
        assert tool.status()["sandbox_lacks"] == [lacks]
        assert f"\nsandbox of the bridge: {left}; not available: {lacks}\n" in tool.done("status")
        daemon.reload()
        another_bridge(daemon)
    assert daemon.text().count(LACKS) == 1


@pytest.mark.parametrize("kernel, left, lacks", KERNELS)
def test_what_is_required_and_lacks_is_not_started(daemon, kernel, left, lacks):
    daemon.settings["bridge"] = {"sandbox": "required"}
    daemon.start(ready=False, preexec_fn=kernel)
    assert daemon.process.wait() == CONFIGURATION
    said = rf"^{re.escape(str(daemon.file))}:\d+:\d+: bridge\.sandbox: required, but not available: "
    assert re.search(said + re.escape(lacks) + "$", daemon.text(), re.MULTILINE)
    checked = subprocess.run(
        [daemon.program, "-t", "-c", daemon.file],
        preexec_fn=kernel,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert checked.returncode == 0, "it may be for another machine"
    assert f"bridge.sandbox: not available to this process: {lacks}\n" in checked.stderr


def test_a_reload_that_requires_what_lacks_changes_nothing(daemon):
    daemon.settings["bridge"] = {"sandbox": "auto"}
    daemon.start(preexec_fn=without_landlock)
    bridge, tool = daemon.bridge(), Tool(daemon)
    daemon.settings["bridge"] = {"sandbox": "required"}
    daemon.write()
    answer = tool.run("reload")
    assert answer.status == CONFIGURATION and f"required, but not available: {NO_LANDLOCK}" in answer.err
    assert daemon.bridge() == bridge and answers(daemon)


def test_nothing_is_said_of_a_whole_one_or_of_none(daemon):
    for mode, shown in (("required", "seccomp, landlock"), ("auto", "seccomp, landlock"), ("off", "off")):
        daemon.settings["bridge"] = {"sandbox": mode}
        if daemon.process:
            daemon.reload()
        else:
            daemon.start()
        assert f"\nsandbox of the bridge: {shown}\n" in Tool(daemon).done("status")
    assert LACKS not in daemon.text()
