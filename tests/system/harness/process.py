"""Processes: start with a log file, stop by pid, wait for conditions, read /proc."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable, Optional, Sequence, TypeVar

T = TypeVar("T")

# A bound, not a delay: it is only ever spent by a test that fails. Sanitizers and a loaded machine
# may need most of it.
PATIENCE = float(os.environ.get("VIADUCT_PATIENCE", "30"))


def wait_for(condition: Callable[[], T], what: str, timeout: float = PATIENCE) -> T:
    """Returns the first true value of `condition`; fails naming `what` after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout:g} s in vain: {what}")
        time.sleep(0.01)


def pause(pid: int) -> None:
    """SIGSTOP, in force when this returns: a thread that runs on another processor goes on until then."""
    os.kill(pid, signal.SIGSTOP)

    def stopped() -> bool:
        stats = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/stat")]
        return bool(stats) and all(stat.rpartition(") ")[2][0] == "T" for stat in stats)

    wait_for(stopped, f"process {pid} has stopped")


def accepts(path: object) -> bool:
    """Whether somebody listens on the Unix socket: between bind() and listen() there is only a file."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def complete_lines(text: str) -> list[str]:
    """Without the last one as long as its end is not written: somebody else is writing the log."""
    return text.rpartition("\n")[0].splitlines()


class Process:
    """A child whose standard output and error go to a file."""

    def __init__(self, arguments: Sequence[object], log: Path, **options) -> None:
        self.arguments = [str(a) for a in arguments]
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **options
            )
        self.pid = self.child.pid

    def running(self) -> bool:
        return self.child.poll() is None

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def send(self, number: int) -> None:
        if self.running():
            self.child.send_signal(number)

    def wait(self, timeout: float = PATIENCE) -> int:
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.arguments[0]} did not end within {timeout:g} s") from None

    def stop(self, number: int = signal.SIGTERM, timeout: float = PATIENCE) -> int:
        """Ends it politely, then forcibly; returns the exit status."""
        self.send(number)
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait()


class Adopted:
    """A process that a child of ours started and left behind: it becomes our child when that child
    ends, which adopt_orphans() arranges."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log
        self.status: Optional[int] = None

    def running(self) -> bool:
        if self.status is not None:
            return False
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return alive(self.pid)  # of its first parent still
        if pid:
            self.status = os.waitstatus_to_exitcode(status)
        return not pid

    def send(self, number: int) -> None:
        if self.running():
            os.kill(self.pid, number)

    def wait(self, timeout: float = PATIENCE) -> int:
        wait_for(lambda: not self.running(), f"process {self.pid} ends", timeout)
        return self.status

    def stop(self, number: int = signal.SIGTERM, timeout: float = PATIENCE) -> int:
        self.send(number)
        try:
            return self.wait(timeout)
        except AssertionError:
            self.send(signal.SIGKILL)
            return self.wait(timeout)


def adopt_orphans() -> None:
    """Processes whose parent ends become children of this one."""
    PR_SET_CHILD_SUBREAPER = 36
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def children(pid: int) -> list[int]:
    """Pids of the direct children that are not zombies."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    found = []
    for task in tasks:
        try:
            found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
        except OSError:
            continue
    return [child for child in found if alive(child)]


def descendants(pid: int) -> list[int]:
    """Pids of children, their children, and so on."""
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def memory(pid: int) -> int:
    """Resident memory in bytes that no file backs."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no RssAnon for {pid}")


def peak_memory(pid: int) -> int:
    """The most bytes that were ever resident."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no VmHWM for {pid}")


def descriptors(pid: int) -> int:
    """How many descriptors are open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def descriptor_targets(pid: int) -> list[str]:
    """What the open descriptors are."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(os.readlink(link))
        except FileNotFoundError:
            continue
    return found


def command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def find_descendant(pid: int, test: Callable[[int], bool]) -> Optional[int]:
    return next((d for d in descendants(pid) if test(d)), None)
