"""viaductd with a bridge in other hands."""

import os
import signal
import time

import pytest

from . import fastcgi
from .process import descriptor_targets, descriptors, wait_for
from .tool import Tool

# Of a machine that has other work, too. A master that is stopped would answer after an hour.
PROMPT = 10
RULES = "bridge breaks the rules of its channel"


class Hostage:
    """A daemon, and what its bridge is made to do."""

    def __init__(self, daemon) -> None:
        self.daemon = daemon
        self.tool = Tool(daemon)
        self.deed_file = daemon.program.parent / (daemon.program.name + ".deed")
        self.mark = daemon.marks / "hostile"

    def prepare(self, deed: str) -> None:
        self.deed_file.write_text(f"{self.daemon.marks}\n{deed}\n")

    def start(self, **options) -> "Hostage":
        self.deed_file.unlink(missing_ok=True)
        self.daemon.start(**options)
        self.request()
        self.descriptors = self.settled_descriptors()
        return self

    def take_over(self, deed: str) -> int:
        """Replaces the bridge by one that does that; its pid."""
        self.prepare(deed)
        os.kill(self.daemon.bridge(), signal.SIGKILL)
        return self.hostile()

    def hostile(self) -> int:
        return int(wait_for(lambda: self.mark.exists() and self.mark.read_text(), "a hostile bridge"))

    def status(self) -> dict:
        start = time.monotonic()
        status = self.tool.status()
        assert time.monotonic() - start < PROMPT
        return status

    def request(self) -> None:
        assert fastcgi.request(self.daemon.socket, "/hello").status == 200

    def settled_descriptors(self) -> int:
        """What the tool had open is closed a moment later."""
        self.status()
        seen = []

        def same() -> bool:
            seen.append(descriptors(self.daemon.pid))
            return len(seen) > 5 and len(set(seen[-5:])) == 1

        wait_for(same, "the descriptors of the master settle")
        return seen[-1]

    def serves_again(self, violations: int) -> None:
        """With a new bridge, and as if nothing had happened."""
        self.request()
        status = self.status()
        assert status["violations"] == violations
        assert self.daemon.text().count(RULES) == violations, "it is said once"
        assert [g["state"] for g in status["generations"]] == ["active"]
        assert status["generations"][0]["bridge_pid"] not in (0, int(self.mark.read_text()))
        # Fewer than before, where something of the start was still open when they were counted.
        try:
            wait_for(lambda: self.settled_descriptors() <= self.descriptors, "descriptors are closed")
        except AssertionError:
            pytest.fail(f"{self.descriptors} before, now {sorted(descriptor_targets(self.daemon.pid))}")


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
