"""Descriptors, zombies, memory, and what else must not be left over."""

import os
import statistics
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, Optional

from harness.process import children, descendants, descriptors, memory

from .site import WORKERS, Site

EVERY = 0.5
# A process that has ended is a zombie until its parent has waited for it.
REAPED_WITHIN = 30.0
WARM_UP = 5.0

# Flat: the median of the last third is at most that much above the median of the first.
TOLERANCE = 0.25
SLACK = 2 << 20


@dataclass
class Series:
    """Memory over time, of one process or of several together."""

    name: str
    samples: list[tuple[float, int]] = field(default_factory=list)

    def seconds(self) -> float:
        return self.samples[-1][0] - self.samples[0][0] if self.samples else 0.0

    def thirds(self) -> Optional[tuple[float, float]]:
        """The medians of the first and of the last third behind the warm-up, in bytes."""
        if not self.samples:
            return None
        begin = self.samples[0][0] + WARM_UP
        values = [value for at, value in self.samples if at >= begin]
        if len(values) < 9:
            return None
        third = len(values) // 3
        return statistics.median(values[:third]), statistics.median(values[-third:])

    def is_flat(self) -> bool:
        thirds = self.thirds()
        return thirds is None or thirds[1] <= thirds[0] * (1 + TOLERANCE) + SLACK


class Watch(threading.Thread):
    """Looks at the processes of the site until it is stopped."""

    def __init__(self, site: Site) -> None:
        super().__init__(name="Watch", daemon=True)
        self.site = site
        self.leaving = threading.Event()
        self.masters: dict[int, Series] = {}
        self.bridges: dict[int, Series] = {}
        self.sum = Series("all processes")
        self.zombies: dict[tuple[int, str], float] = {}  # pid and start: since when
        self.stale: list[str] = []

    def run(self) -> None:
        while not self.leaving.wait(EVERY):
            self.look()

    def look(self) -> None:
        now, master = time.monotonic(), self.site.daemon.pid
        try:
            series = self.masters.setdefault(master, Series(f"master {master}"))
            series.samples.append((now, memory(master)))
            for bridge in self.site.bridges():
                series = self.bridges.setdefault(bridge, Series(f"bridge {bridge}"))
                series.samples.append((now, memory(bridge)))
        except (OSError, AssertionError):
            pass  # one has just ended
        processes = [master, *descendants(master)]
        # Only what can be compared: with as many processes as there are when nothing happens.
        if len(processes) == 2 + len(self.site.apps) * WORKERS:
            self.sum.samples.append((now, sum(memory_if_there(pid) for pid in processes)))
        self.look_for_zombies(now)

    def look_for_zombies(self, now: float) -> None:
        seen = {}
        for pid, start, who in zombies(set(self.masters)):
            seen[pid, start] = self.zombies.get((pid, start), now)
            if now - seen[pid, start] > REAPED_WITHIN:
                self.stale.append(f"{who} (pid {pid}) is a zombie for {REAPED_WITHIN:g} s")
        self.zombies = seen

    def longest(self, found: dict[int, Series]) -> Series:
        return max(found.values(), key=Series.seconds, default=Series("none"))

    def series(self) -> list[Series]:
        """The master and the bridge that lived longest, and the sum of all processes."""
        return [self.longest(self.masters), self.longest(self.bridges), self.sum]

    def stop(self) -> None:
        self.leaving.set()
        self.join()


def memory_if_there(pid: int) -> int:
    try:
        return memory(pid)
    except (OSError, AssertionError):
        return 0


def zombies(parents: set[int]) -> Iterator[tuple[int, str, str]]:
    """Pid, start time and name of those that nobody has waited for."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            head, _, rest = Path(f"/proc/{entry}/stat").read_text(errors="replace").rpartition(")")
        except OSError:
            continue
        words = rest.split()
        if words[0] == "Z" and int(words[1]) in parents:
            yield int(entry), words[19], head.partition("(")[2]


@dataclass(frozen=True)
class Holdings:
    """What the daemon has when it has nothing to do."""

    master_descriptors: int
    bridge_descriptors: int  # besides those of front connections
    processes: int
    files: int  # in its runtime directory

    @staticmethod
    def of(site: Site) -> "Holdings":
        (bridge,) = site.bridges()
        connections = site.status()["connections"]
        run = Path(site.daemon.settings["runtime_dir"])
        return Holdings(
            descriptors(site.daemon.pid),
            descriptors(bridge) - connections,
            len(children(site.daemon.pid)),
            sum(1 for _ in run.rglob("*")),
        )

    def is_at_most(self, other: "Holdings") -> bool:
        # The bridge keeps one connection, or none, to each worker of the app on libfcgi.
        return (
            self.master_descriptors <= other.master_descriptors
            and self.bridge_descriptors <= other.bridge_descriptors + WORKERS
            and self.processes <= other.processes
            and self.files <= other.files
        )
