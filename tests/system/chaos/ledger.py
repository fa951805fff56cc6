"""What became of every request."""

import enum
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Callable, Iterable, Optional

from harness import http

COMPLETE_BUT_WRONG = "complete, but wrong"


class Outcome(enum.Enum):
    OK = "ok"
    BROKEN = "broken"  # ended inside the response, and could be seen to
    FAILED = "failed"  # another status, no answer at all, or a complete answer that is wrong
    HUNG = "hung"


@dataclass(frozen=True)
class Kind:
    name: str
    app: str
    methods: str
    idempotent: bool = True
    long: bool = False  # its response takes long, and breaks with its worker
    unbuffered: bool = False  # through the nginx that has no buffers


@dataclass(eq=False)
class Exchange:
    """One request. Times are those of time.monotonic(); 0: not yet."""

    kind: Kind
    phase: str
    request: str
    began: float
    headed: float = 0.0
    ended: float = 0.0
    status: int = 0
    worker: int = 0  # the pid that the response names
    announced: bool = False  # its length, by Content-Length
    outcome: Optional[Outcome] = None
    note: str = ""

    def overlaps(self, begin: float, end: float) -> bool:
        return self.began <= end and (not self.ended or self.ended >= begin)

    def is_owed_an_answer(self) -> bool:
        return self.kind.idempotent and not self.headed and not self.ended


class Ledger:
    """Kept by all clients at once. Exchanges that went well are counted; the others are kept."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self.kinds = list(kinds)
        self.phase = ""
        self.unhappy: list[Exchange] = []
        self.clean_ends: list[Exchange] = []  # event streams that ended in order
        self.defects: list[str] = []  # of the clients themselves
        self._sent: Counter = Counter()
        self._ended: Counter = Counter()
        self._open: set[Exchange] = set()
        self._changed = threading.Condition()

    # by the clients

    def begin(self, kind: Kind, request: str) -> Exchange:
        with self._changed:
            exchange = Exchange(kind, self.phase, request, time.monotonic())
            self._sent[kind.name, self.phase] += 1
            self._open.add(exchange)
            return exchange

    def headed(self, exchange: Exchange, reply: http.Reply) -> None:
        with self._changed:
            exchange.headed, exchange.status = time.monotonic(), reply.status
            exchange.worker = int(reply.get("X-Worker") or 0)
            exchange.announced = reply.get("Content-Length") is not None
            self._changed.notify_all()

    def end(self, exchange: Exchange, outcome: Outcome, note: str = "") -> None:
        with self._changed:
            exchange.ended, exchange.outcome, exchange.note = time.monotonic(), outcome, note
            self._open.discard(exchange)
            self._ended[exchange.kind.name, exchange.phase, outcome] += 1
            if outcome is not Outcome.OK:
                self.unhappy.append(exchange)
            self._changed.notify_all()

    def ended_in_order(self, exchange: Exchange) -> None:
        self.end(exchange, Outcome.OK)
        with self._changed:
            self.clean_ends.append(exchange)

    def defect(self, text: str) -> None:
        with self._changed:
            self.defects.append(text)

    # by everybody else

    def open(self) -> list[Exchange]:
        with self._changed:
            return list(self._open)

    def owed(self) -> list[Exchange]:
        """Idempotent requests that have no response head yet."""
        return [exchange for exchange in self.open() if exchange.is_owed_an_answer()]

    def wait(self, done: Callable[[], bool], timeout: float) -> bool:
        """Waits until something that the clients report makes `done` true."""
        with self._changed:
            return self._changed.wait_for(done, timeout)

    def sent(self, kind: Kind, phase: str) -> int:
        return self._sent[kind.name, phase]

    def ended(self, kind: Kind, phase: str, outcome: Outcome) -> int:
        return self._ended[kind.name, phase, outcome]

    def total(self, outcome: Outcome) -> int:
        return sum(count for (_, _, what), count in self._ended.items() if what is outcome)
