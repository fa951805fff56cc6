"""The order of events."""

import os
import time
from dataclasses import dataclass, field
from typing import Callable, Optional

from harness.process import alive, children, command_line, descendants, wait_for

from .clients import KINDS, Load
from .disturber import Killer, Operator, kill_bridges
from .journal import Journal
from .leaks import Holdings, Watch
from .ledger import Ledger
from .site import HUNG, WORKERS, Site
from .verdict import BRIDGES, CHAOS, Verdict, judge

BETWEEN_KILLS = 0.6
# Of the chaos: until then everything happens; then no more upgrades, so that one master lives long
# enough to show a leak; at last no commands, for the sake of a bridge and of kills that nothing else
# can explain.
UPGRADES_UNTIL, COMMANDS_UNTIL = 0.5, 0.85
LEAST = {"upgrade": 2, "reload": 2, "restart": 2, "scale": 2, "deploy": 1, "mistake": 1}
# The bridge is back within a second; a machine that needs longer than this to start a program and
# see it end may take as many times longer.
BACK_WITHIN, QUICK_START = 1.0, 0.05


@dataclass
class Result:
    seconds: float
    seed: int
    threads: int  # of the bridge
    ledger: Ledger
    journal: Journal
    watch: Watch
    base: Optional[Holdings] = None
    kept: dict[str, Holdings] = field(default_factory=dict)  # by phase, after it
    back: list[float] = field(default_factory=list)  # seconds, by bridge kill
    allowed: list[float] = field(default_factory=list)
    chaos_took: float = 0.0
    repeated: int = 0  # requests that were sent to a second worker
    verdict: Optional[Verdict] = None


class Course:
    """One run. `tell` is given a line now and then."""

    def __init__(self, site: Site, seconds: float, bridge_kills: int, seed: int,
                 tell: Callable[[str], None]) -> None:
        self.site = site
        self.bridge_kills = bridge_kills
        self.tell = tell
        self.result = Result(seconds, seed, site.threads, Ledger(KINDS), Journal(), Watch(site))

    def run(self) -> Result:
        result = self.result
        left = []
        try:
            self.settle()
            result.base = Holdings.of(self.site)
            result.watch.start()
            self.chaos()
            self.hold(CHAOS)
            self.kill_bridges()
            self.hold(BRIDGES)
            result.watch.stop()
            left = self.end()
        except AssertionError as error:
            result.journal.defect(f"given up: {error}")
        result.repeated = self.site.daemon.text().count("request is sent to another worker")
        result.verdict = judge(result.ledger, result.journal)
        result.verdict.wrong += [*self.leaks(), *self.late(), *left]
        return result

    # the parts

    def chaos(self) -> None:
        result, seconds = self.result, self.result.seconds
        result.ledger.phase = CHAOS
        began = time.monotonic()
        load = Load(self.site, result.ledger, result.seed)
        killer = Killer(self.site, result.ledger, result.journal, result.seed, BETWEEN_KILLS)
        operator = Operator(self.site, result.ledger, result.journal, result.seed)
        killer.start()
        operator.start()
        counts = result.journal.counts
        self.until(began, seconds * UPGRADES_UNTIL, lambda: counts()["upgrade"] >= LEAST["upgrade"])
        operator.may_upgrade = False
        enough = lambda: all(counts()[what] >= least for what, least in LEAST.items())
        self.until(began, seconds * COMMANDS_UNTIL, enough)
        operator.stop()
        self.restore_sizes()
        killer.alone = True
        self.until(began, seconds, lambda: counts()["kill"] >= seconds)
        killer.stop()
        result.chaos_took = time.monotonic() - began
        load.stop()

    def until(self, began: float, seconds: float, enough: Callable[[], bool]) -> None:
        """So long, and longer where the machine is too slow for what has to happen. It ends at once
        when nobody is there any more to make it happen."""
        told = time.monotonic()
        most = 10 * self.result.seconds + 600
        while not self.result.journal.defects:
            elapsed = time.monotonic() - began
            assert elapsed < most, f"after {elapsed:.0f} s no more than {self.result.journal.counts()}"
            if elapsed >= seconds and enough():
                return
            if time.monotonic() - told > 10:
                told = time.monotonic()
                counts = self.result.journal.counts()
                words = ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
                self.tell(f"{elapsed:.0f} s: {words}; unhappy requests: {len(self.result.ledger.unhappy)}")
            time.sleep(0.1)

    def restore_sizes(self) -> None:
        """So many workers again as at the beginning, without a reload."""
        wait_for(lambda: len(self.site.status()["generations"]) == 1, "one generation is left", 2 * HUNG)
        for app in self.site.apps:
            self.site.tool.done("scale", app, str(WORKERS))
        wait_for(self.nothing_leaves, "workers that are too many have ended", 2 * HUNG)

    def nothing_leaves(self) -> bool:
        states = {w["state"] for app in self.site.status()["apps"] for w in app["workers"]}
        return states <= {"starting", "ready"}

    def kill_bridges(self) -> None:
        result = self.result
        result.ledger.phase = BRIDGES
        load = Load(self.site, result.ledger, result.seed + 1)
        needed = kill_bridges(self.site, result.journal, self.bridge_kills)
        result.allowed = [BACK_WITHIN * max(1.0, seconds / QUICK_START) for seconds in needed]
        for kill in result.journal.of("kill bridge"):
            result.back.append(kill.ended - kill.began)
        load.stop()

    def settle(self) -> None:
        try:
            wait_for(lambda: self.site.is_settled(self.site.status()), "the site is settled", 2 * HUNG)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.site.tool.run('status').out}") from None

    def hold(self, phase: str) -> None:
        """Waits until nothing is left that was not there at first, and notes what there is."""

        def look() -> bool:
            self.settle()
            self.result.kept[phase] = Holdings.of(self.site)
            return self.result.kept[phase].is_at_most(self.result.base)

        try:
            wait_for(look, "", 60)
        except AssertionError:
            pass  # judged in leaks()

    def end(self) -> list[str]:
        """Stops everything; what then is still there."""
        wrong = []
        for front in self.site.fronts.values():
            front.stop()
        processes = descendants(self.site.daemon.pid)
        status = self.site.daemon.stop()
        if status != 0:
            wrong.append(f"viaductd ended with {status}")
        wrong += [f"pid {pid} is left over" for pid in processes if alive(pid)]
        # What a viaductd leaves behind becomes a child of this process, which has had it adopted.
        place = str(self.site.daemon.stage.path)
        for pid in children(os.getpid()):
            if any(place in word for word in command_line(pid)):
                wrong.append(f"left over: pid {pid}: {' '.join(command_line(pid))}")
        return wrong

    # what is wrong

    def leaks(self) -> list[str]:
        result = self.result
        wrong = list(result.watch.stale)
        for phase, kept in result.kept.items():
            if not kept.is_at_most(result.base):
                wrong.append(f"after {phase} there is more than before: {kept}; before: {result.base}")
        for series in result.watch.series():
            if not series.is_flat():
                first, last = series.thirds()
                wrong.append(f"memory of {series.name} grows: {first / 2**20:.1f} MiB, {last / 2**20:.1f} MiB")
        return wrong

    def late(self) -> list[str]:
        return [
            f"the bridge was back after {back:.2f} s instead of {allowed:.2f} s"
            for back, allowed in zip(self.result.back, self.result.allowed)
            if back > allowed
        ]
