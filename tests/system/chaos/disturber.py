"""Who kills workers, who gives commands, and who kills bridges."""

import contextlib
import os
import random
import re
import select
import signal
import subprocess
import threading
import time
import traceback
from pathlib import Path
from typing import Callable, Optional

from harness import http
from harness.process import Adopted, adopt_orphans, wait_for
from harness.tool import Result

from .journal import Deed, Journal
from .ledger import Ledger
from .site import HUNG, Site

# Besides the one that is killed.
LEFT_READY = 2
CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)
# The guard closes a route for three crashes within a minute.
BETWEEN_CRASHES = 40.0
BRIDGE_DEATHS, BRIDGE_REST = 5, 10.5


def restarted(app: str, why: str) -> str:
    """What a reload says of the app, as a pattern: it may also undo a scale."""
    return rf"{app} restarted \({why}(; scale to \d+ undone: \d+ workers?)?\)"


def kill(pid: int, number: int, still_it: Callable[[], bool]) -> bool:
    """Sends the signal and waits until the process has ended; False when it is not there any more.
    The pid may be given to another process at any time, the descriptor belongs to one."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if not still_it():
            return False
        signal.pidfd_send_signal(descriptor, number)
        ended = select.poll()
        ended.register(descriptor, select.POLLIN)
        assert ended.poll(HUNG * 1000), f"process {pid} does not end by signal {number}: {state(pid)}"
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)


def state(pid: int) -> str:
    """What the kernel says of a process: its state, its signals and where it waits."""
    lines = []
    for name in ("status", "wchan", "syscall", "stack"):
        try:
            lines.append(Path(f"/proc/{pid}/{name}").read_text(errors="replace").strip())
        except OSError as error:
            lines.append(f"{name}: {error.strerror}")
    return "\n".join(lines)


def parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


class Disturber(threading.Thread):
    """Does once() again and again until it is stopped; an exception is a defect and ends it."""

    def __init__(self, site: Site, ledger: Ledger, journal: Journal, seed: int) -> None:
        super().__init__(name=type(self).__name__, daemon=True)
        self.site = site
        self.ledger = ledger
        self.journal = journal
        self.random = random.Random(seed)
        self.leaving = threading.Event()

    def run(self) -> None:
        try:
            while not self.leaving.is_set():
                self.once()
        except BaseException:
            self.journal.defect(f"{self.name}: {traceback.format_exc()}")

    def once(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        self.leaving.set()
        self.join(3 * HUNG)
        if self.is_alive():
            self.journal.defect(f"{self.name} did not end")


class Killer(Disturber):
    """Kills workers, `every` seconds one, as far as the rules of the course allow (see the package)."""

    def __init__(self, site: Site, ledger: Ledger, journal: Journal, seed: int, every: float) -> None:
        super().__init__(site, ledger, journal, seed)
        self.every = every
        self.crashed: dict[str, float] = {}  # when an app was last made to crash
        self.alone = False  # nobody gives commands, and none is still being carried out

    def once(self) -> None:
        due = time.monotonic() + self.every
        status = self.site.status()
        target = self.choose(status)
        if target:
            app, pid = target
            self.kill(app, pid, status["pid"])
            self.wait_for_answers()
        self.leaving.wait(max(0.05 if target is None else 0.0, due - time.monotonic()))

    def choose(self, status: dict) -> Optional[tuple[str, int]]:
        found = []
        for app in status["apps"]:
            ready = [worker for worker in app["workers"] if worker["state"] == "ready"]
            if app["state"] == "serving" and len(ready) > LEFT_READY:
                found += [(app["name"], worker["pid"]) for worker in ready]
        return self.random.choice(found) if found else None

    def kill(self, app: str, pid: int, master: int) -> None:
        number = self.signal_for(app)
        abrupt = number != signal.SIGTERM
        deed = self.journal.begin("kill", signal.Signals(number).name, app, pid, self.alone and abrupt)
        gone = not kill(pid, number, lambda: parent(pid) == master)
        if gone:
            deed.what = "missed"
        self.journal.end(deed)

    def signal_for(self, app: str) -> int:
        chance = self.random.random()
        # By somebody who does not know better: the SDK's end in order. libfcgi, when it comes between
        # the connection and its first byte, tries to close that connection for ever.
        if chance < 0.1 and app != "legacy":
            return signal.SIGTERM
        if chance < 0.4 and time.monotonic() - self.crashed.get(app, 0.0) > BETWEEN_CRASHES:
            self.crashed[app] = time.monotonic()
            return self.random.choice(CRASHES)
        return signal.SIGKILL

    def wait_for_answers(self) -> None:
        """The requests that have lost their worker have to be answered by another one first."""
        owed = self.ledger.owed()
        over = lambda: not any(exchange.is_owed_an_answer() for exchange in owed)
        if not self.ledger.wait(over, 2 * HUNG):
            late = [x.request for x in owed if x.is_owed_an_answer()]
            self.journal.defect(f"no answer to {', '.join(late[:10])}")


class Operator(Disturber):
    """Gives commands, one after the other, in an order that chance decides. All must succeed, but
    for those that are wrong on purpose."""

    def __init__(self, site: Site, ledger: Ledger, journal: Journal, seed: int) -> None:
        super().__init__(site, ledger, journal, seed)
        self.may_upgrade = True
        self.number = 0
        self.turns: list[Callable[[], None]] = []

    def once(self) -> None:
        if not self.turns:
            self.turns = [self.reload, self.restart, self.scale, self.deploy, self.mistake,
                          self.hang_up, self.reopen]
            if self.may_upgrade:
                self.turns += [self.upgrade, self.upgrade_by_signal, self.upgrade_with_mistake]
            self.random.shuffle(self.turns)
        self.turns.pop()()
        self.leaving.wait(self.random.uniform(0.1, 0.8))

    def app(self) -> str:
        return self.random.choice(self.site.apps)

    def command(self, what: str, *words: str, status: int = 0, says: str = "") -> None:
        deed = self.journal.begin(what, f"viaduct {' '.join(words)}")
        self.judge(deed, self.site.tool.run(*words, timeout=2 * HUNG), status, says)

    def judge(self, deed: Deed, result: Result, status: int, says: str) -> None:
        said = (result.out + result.err).strip()
        self.journal.end(deed, f"exit status {result.status}: {said}")
        if result.status != status or not re.search(says, said):
            self.journal.defect(f"unexpected: {self.journal.line(deed)}")

    # the turns

    def reload(self) -> None:
        self.command("reload", "reload", says="web kept")

    def restart(self) -> None:
        app = self.app()
        self.command("restart", "restart", app, says=f"{app} restarted")

    def scale(self) -> None:
        workers = self.random.choice((3, 4, 5, 7))
        self.command("scale", "scale", self.app(), str(workers), says=f"{workers} workers")

    def deploy(self) -> None:
        app = self.app()
        self.site.replace_program(app)
        self.command("deploy", "reload", says=restarted(app, "binary changed"))

    def mistake(self) -> None:
        with self.broken_configuration():
            self.command("mistake", "reload", status=78, says="unknown key")

    def upgrade_with_mistake(self) -> None:
        with self.broken_configuration():
            self.command("failed upgrade", "upgrade", status=1, says="this one goes on")

    @contextlib.contextmanager
    def broken_configuration(self):
        file = self.site.daemon.file
        good = file.read_text()
        file.write_text(good.replace("workers:", "worker:", 1))
        yield
        file.write_text(good)

    def reopen(self) -> None:
        self.command("reopen", "reopen", says="logs reopened")

    def hang_up(self) -> None:
        """A reload by signal, of a changed configuration."""
        self.number += 1
        app = self.app()
        self.site.change_environment(app, self.number)
        deed = self.journal.begin("reload", f"SIGHUP, {app} changed")
        line = self.site.daemon.reload(2 * HUNG)
        self.journal.end(deed, line)
        if not re.search(restarted(app, "env changed"), line):
            self.journal.defect(f"unexpected: {self.journal.line(deed)}")

    def upgrade_by_signal(self) -> None:
        self.site.daemon.install()
        deed = self.journal.begin("upgrade", "SIGUSR2")
        self.site.daemon.upgrade(2 * HUNG)
        self.journal.end(deed, f"pid {self.site.daemon.pid}")

    def upgrade(self) -> None:
        """By command, and a reload that is asked for meanwhile: carried out before or behind it, or
        refused with the reason."""
        daemon = self.site.daemon
        daemon.install()
        adopt_orphans()
        old = daemon.process
        deed = self.journal.begin("upgrade", "viaduct upgrade")
        upgrade = self.site.tool.start("upgrade")
        meanwhile = self.journal.begin("reload meanwhile", "viaduct reload")
        answer = self.site.tool.run("reload", timeout=2 * HUNG)
        refused = answer.status == 1 and "has taken over" in answer.err
        self.judge(meanwhile, answer, 1 if refused else 0, "has taken over" if refused else "web kept")
        out, err = upgrade.communicate(timeout=2 * HUNG)
        daemon.process = Adopted(daemon.successor(), daemon.log)
        self.judge(deed, Result(upgrade.returncode, out, err), 0, f"viaductd {daemon.pid} serves")
        if old.wait(2 * HUNG) != 0:
            self.journal.defect(f"the viaductd that was replaced ended with {old.wait()}")


def kill_bridges(site: Site, journal: Journal, count: int) -> list[float]:
    """One after the other, each from a bridge that serves. The master starts the next one at once
    four times, then after a growing pause, unless one has lived for ten seconds. Returns how long
    this machine needed meanwhile to start a program."""
    needed = []
    for number in range(count):
        if number % BRIDGE_DEATHS == 0:
            time.sleep(BRIDGE_REST)
        wait_for(lambda: site.is_settled(site.status()), "the site is settled", HUNG)
        pid = site.status()["generations"][0]["bridge_pid"]
        deed = journal.begin("kill bridge", pid=pid)
        assert kill(pid, signal.SIGKILL, lambda: parent(pid) == site.daemon.pid), "no bridge"
        wait_for(lambda: answers(site.buffered), "the site answers again", HUNG)
        journal.end(deed)
        needed.append(http.seconds(lambda: subprocess.run([site.daemon.program, "-V"], capture_output=True)))
        time.sleep(0.5)  # some load between the kills
    return needed


def answers(port: int) -> bool:
    try:
        return http.request(port, "/hello").status == 200
    except (http.Broken, ConnectionError):
        return False
