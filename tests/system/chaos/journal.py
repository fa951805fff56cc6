"""What was done to the daemon, and when."""

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Optional


@dataclass(eq=False)
class Deed:
    """Times are those of time.monotonic(). A kill ends when the process is dead, that of a bridge
    when the next one has answered; a command with its answer."""

    what: str  # "kill", "reload", "restart", "scale", "upgrade", "kill bridge", ...
    detail: str
    began: float
    ended: float = 0.0
    app: str = ""
    pid: int = 0
    alone: bool = False  # nothing else was being done
    result: str = ""

    def may_explain(self, began: float, ended: float) -> bool:
        return self.began <= ended and (not self.ended or self.ended >= began)


class Journal:
    def __init__(self) -> None:
        self.origin = time.monotonic()
        self.deeds: list[Deed] = []
        self.defects: list[str] = []  # what a disturber found wrong
        self._lock = threading.Lock()

    def begin(self, what: str, detail: str = "", app: str = "", pid: int = 0, alone: bool = False) -> Deed:
        deed = Deed(what, detail, time.monotonic(), app=app, pid=pid, alone=alone)
        with self._lock:
            self.deeds.append(deed)
        return deed

    def end(self, deed: Deed, result: str = "") -> None:
        with self._lock:
            deed.ended, deed.result = time.monotonic(), result

    def defect(self, text: str) -> None:
        with self._lock:
            self.defects.append(f"{self.since_start(time.monotonic()):.2f} s: {text}")

    def of(self, what: str) -> list[Deed]:
        with self._lock:
            return [deed for deed in self.deeds if deed.what == what]

    def counts(self) -> Counter:
        with self._lock:
            return Counter(deed.what for deed in self.deeds)

    def kill_of(self, pid: int) -> Optional[Deed]:
        return next((deed for deed in self.of("kill") if deed.pid == pid), None)

    def around(self, began: float, ended: float, margin: float = 1.0) -> list[Deed]:
        with self._lock:
            return [d for d in self.deeds if d.may_explain(began - margin, ended + margin)]

    def since_start(self, at: float) -> float:
        return at - self.origin

    def line(self, deed: Deed) -> str:
        took = f"{deed.ended - deed.began:.3f} s" if deed.ended else "not over"
        words = [deed.what, deed.detail, deed.app, f"pid {deed.pid}" if deed.pid else "", deed.result]
        return f"{self.since_start(deed.began):8.3f} s  {' '.join(w for w in words if w)} ({took})"
