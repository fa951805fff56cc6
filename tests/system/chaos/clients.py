"""The load: each client is a thread that sends one request after the other and judges every answer."""

import hashlib
import random
import re
import threading
import time
import traceback
from typing import Iterator, Optional

from harness import http

from .ledger import COMPLETE_BUT_WRONG, Exchange, Kind, Ledger, Outcome
from .site import HUNG, Site

FAST = Kind("fast", "web", "GET HEAD")
SLOW = Kind("slow", "api", "GET")
PLAIN = Kind("plain", "legacy", "GET")
PUT = Kind("put", "web", "PUT")
POST = Kind("post", "web", "POST", idempotent=False)
PLAIN_POST = Kind("plain post", "legacy", "POST", idempotent=False)
UPLOAD = Kind("slow upload", "web", "POST", idempotent=False, unbuffered=True)
DOWNLOAD = Kind("download", "stream", "GET", long=True)
READER = Kind("slow download", "stream", "GET", long=True, unbuffered=True)
LEAVER = Kind("leaver", "stream", "GET", long=True, unbuffered=True)
PLAIN_LEAVER = Kind("plain leaver", "legacy", "GET", long=True, unbuffered=True)
EVENTS = Kind("events", "events", "GET", long=True)

# How many clients of each kind; what they leave of two processors is the servers'.
CROWD = {FAST: 4, SLOW: 4, PLAIN: 2, PUT: 2, POST: 2, PLAIN_POST: 1, UPLOAD: 2, DOWNLOAD: 2,
         READER: 2, LEAVER: 1, PLAIN_LEAVER: 1, EVENTS: 6}
KINDS = list(CROWD)

# Held by the bridge as a whole: limits.retry_buffer is 64 KiB.
HELD = 60_000

# Contents to choose from: computing them costs more than sending them.
_BODIES = [bytes((n * 7 + i) & 255 for i in range(1000)) * 300 for n in range(8)]
_DOWNLOADS = {size: http.pattern_sha256(size) for size in (1, 5_000, 70_000, 400_000, 3_000_000)}
# More than the kernel stores on the way.
_SLOW_DOWNLOAD = 8_000_000
_DOWNLOADS[_SLOW_DOWNLOAD] = http.pattern_sha256(_SLOW_DOWNLOAD)


class Wrong(Exception):
    """A complete answer that is not the right one."""


class Client(threading.Thread):
    """Subclasses say what is sent and what has to come back."""

    pause = 0.005
    receive_buffer = 0
    close = False  # the connection, after each request

    def __init__(self, kind: Kind, site: Site, ledger: Ledger, seed: int) -> None:
        super().__init__(name=f"{kind.name} client", daemon=True)
        self.kind = kind
        self.port = site.direct if kind.unbuffered else site.buffered
        self.ledger = ledger
        self.random = random.Random(seed)
        self.leaving = threading.Event()
        self.connection: Optional[http.Connection] = None

    def run(self) -> None:
        try:
            while not self.leaving.is_set():
                self.once()
                self.leaving.wait(self.pause)
        except Exception:  # the test itself is wrong
            self.ledger.defect(f"{self.name}: {traceback.format_exc()}")
        self.disconnect()

    def once(self) -> None:
        raise NotImplementedError

    def disconnect(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None

    def connect(self) -> http.Connection:
        if self.connection is None:
            self.connection = http.Connection(self.port, HUNG, self.receive_buffer)
        return self.connection

    def exchange(self, method: str, target: str, headers=(), body=b"", check=None) -> None:
        """One request and its answer. `body`: bytes, or what yields them. `check` is given the
        reply, with its digest and its body if that is short, and raises Wrong."""
        exchange = self.ledger.begin(self.kind, f"{method} {target}")
        try:
            reply = self.converse(exchange, method, target, headers, body)
            if reply.status != 200:
                return self.over(exchange, Outcome.FAILED, f"status {reply.status}")
            if check:
                check(reply)
        except TimeoutError:
            return self.over(exchange, Outcome.HUNG, f"silent for {HUNG:g} s")
        except (http.Broken, ConnectionError) as error:
            return self.broken(exchange, str(error))
        except Wrong as error:
            return self.over(exchange, Outcome.FAILED, f"{COMPLETE_BUT_WRONG}: {error}")
        if (reply.get("Connection") or "").lower() == "close":
            self.disconnect()
        self.ledger.end(exchange, Outcome.OK)

    def over(self, exchange: Exchange, outcome: Outcome, note: str) -> None:
        self.disconnect()
        self.ledger.end(exchange, outcome, note)

    def broken(self, exchange: Exchange, note: str) -> None:
        """It ended early. Without a head it has broken, too, when the response is one that takes
        long: before the head nginx would have answered 502, and what it has not yet passed on of the
        head when the response breaks it drops."""
        begun = exchange.status == 200 or (exchange.kind.long and not exchange.headed)
        self.over(exchange, Outcome.BROKEN if begun else Outcome.FAILED, note)

    def converse(self, exchange: Exchange, method: str, target: str, headers, body) -> http.Reply:
        connection = self.connect()
        connection.send_head(method, target, headers, self.close)
        try:
            for piece in [body] if isinstance(body, bytes) else body:
                connection.send(piece)
        except ConnectionError:
            pass  # an early refusal: it is still to be read
        reply = self.read_head(connection, exchange)
        digest, kept = hashlib.sha256(), []
        for piece in connection.body_pieces(reply, method):
            digest.update(piece)
            reply.length += len(piece)
            if reply.length < 1000:
                kept.append(piece)
            self.received(exchange)
        reply.sha256, reply.body = digest.hexdigest(), b"".join(kept)
        return reply

    def read_head(self, connection: http.Connection, exchange: Exchange) -> http.Reply:
        reply = connection.read_head()
        self.ledger.headed(exchange, reply)
        return reply

    def received(self, exchange: Exchange) -> None:
        if time.monotonic() - exchange.began > HUNG:
            raise TimeoutError


def expect(text: bytes):
    def check(reply: http.Reply) -> None:
        if reply.body != text:
            raise Wrong(f"{reply.body[:100]!r} instead of {text!r}")

    return check


class Fast(Client):
    def once(self) -> None:
        if self.random.random() < 0.2:
            self.exchange("HEAD", "/hello", check=expect(b""))
        else:
            self.exchange("GET", "/hello", check=expect(b"hello\n"))


class Slow(Client):
    def once(self) -> None:
        self.exchange("GET", f"/sleep?ms={self.random.randrange(20, 400)}", check=expect(b"slept\n"))


class Plain(Client):
    def once(self) -> None:
        self.exchange("GET", "/early", check=expect(b"early\n"))


class PlainPost(Client):
    pause = 0.02

    def once(self) -> None:
        body = self.random.choice(_BODIES)[: self.random.randrange(1, 20_000)]

        def check(reply: http.Reply) -> None:
            if not re.fullmatch(rb"\d+\n", reply.body):
                raise Wrong(repr(reply.body[:100]))

        self.exchange("POST", "/pid", [("Content-Length", str(len(body)))], body, check)


class Digest(Client):
    """Sends a body and expects its length and SHA-256."""

    pause = 0.02
    largest = HELD

    def once(self) -> None:
        self.send(self.random.choice(_BODIES)[: self.random.randrange(1, self.largest)])

    def send(self, body: bytes) -> None:
        method = self.kind.methods
        sum = hashlib.sha256(body).hexdigest()
        answer = expect(b"%d %s\n" % (len(body), sum.encode()))
        self.exchange(method, "/digest", *self.framed(body), answer)

    def framed(self, body: bytes):
        return [("Content-Length", str(len(body)))], body


class Post(Digest):
    largest = 200_000


class Upload(Digest):
    """Slowly, and passed on as it comes; now with its length announced, now in chunks."""

    largest = 300_000

    def framed(self, body: bytes):
        if self.random.random() < 0.5:
            return [("Content-Length", str(len(body)))], self.slowly(body, b"", b"", b"")
        return [("Transfer-Encoding", "chunked")], self.slowly(body, b"%x\r\n", b"\r\n", b"0\r\n\r\n")

    def slowly(self, body: bytes, before: bytes, behind: bytes, last: bytes) -> Iterator[bytes]:
        size = 20_000
        for at in range(0, len(body), size):
            piece = body[at : at + size]
            yield (before % len(piece) if before else b"") + piece + behind
            time.sleep(0.03)
        yield last


class Download(Client):
    pause = 0.05

    def once(self) -> None:
        self.download(self.random.choice(list(_DOWNLOADS)))

    def download(self, size: int) -> None:
        def check(reply: http.Reply) -> None:
            if (reply.length, reply.sha256) != (size, _DOWNLOADS[size]):
                raise Wrong(f"{reply.length} bytes with SHA-256 {reply.sha256}")

        length = self.random.choice(["", "&length=0"])
        self.exchange("GET", f"/generate?bytes={size}{length}", check=check)


class Reader(Download):
    """Takes it slowly, and nobody between the worker and this client stores it."""

    receive_buffer = 32_768
    close = True

    def once(self) -> None:
        self.download(_SLOW_DOWNLOAD)

    def received(self, exchange: Exchange) -> None:
        super().received(exchange)
        if not self.leaving.is_set():
            time.sleep(0.003)


class Leaver(Client):
    """Goes away in the midst of an answer, of one that the application never ends or of another."""

    pause = 0.1
    target = f"/generate?bytes={_SLOW_DOWNLOAD}"

    def once(self) -> None:
        exchange = self.ledger.begin(self.kind, f"GET {self.target}, and leave")
        try:
            connection = self.connect()
            connection.send_head("GET", self.target, close=True)
            reply = self.read_head(connection, exchange)
            if reply.status != 200:
                return self.over(exchange, Outcome.FAILED, f"status {reply.status}")
            left = self.random.choice((1, 100_000, 1_000_000))
            for piece in connection.body_pieces(reply):
                left -= len(piece)
                if left <= 0:
                    break
        except TimeoutError:
            return self.over(exchange, Outcome.HUNG, f"silent for {HUNG:g} s")
        except (http.Broken, ConnectionError) as error:
            return self.broken(exchange, str(error))
        self.disconnect()
        self.ledger.end(exchange, Outcome.OK)


class PlainLeaver(Leaver):
    target = "/endless"


class Events(Client):
    """Receives events, and goes on behind the last one when the stream has ended or broken."""

    pause = 0.02

    def __init__(self, kind: Kind, site: Site, ledger: Ledger, seed: int) -> None:
        super().__init__(kind, site, ledger, seed)
        self.last = 0
        self.heard = 0.0

    def once(self) -> None:
        headers = [("Last-Event-ID", str(self.last))] if self.last else []
        exchange = self.ledger.begin(self.kind, f"GET /events behind {self.last}")
        try:
            connection = self.connect()
            connection.send_head("GET", "/events", headers)
            reply = self.read_head(connection, exchange)
            if reply.status != 200:
                return self.over(exchange, Outcome.FAILED, f"status {reply.status}")
            if self.receive(connection, reply):
                self.disconnect()
                return self.ledger.ended_in_order(exchange)
        except TimeoutError:
            return self.over(exchange, Outcome.HUNG, f"no event for {HUNG:g} s")
        except (http.Broken, ConnectionError) as error:
            return self.broken(exchange, str(error))
        except Wrong as error:
            return self.over(exchange, Outcome.FAILED, str(error))
        self.disconnect()
        self.ledger.end(exchange, Outcome.OK)

    def receive(self, connection: http.Connection, reply: http.Reply) -> bool:
        """True when the stream has ended; False when this client has had enough."""
        text, self.heard = b"", time.monotonic()
        for piece in connection.body_pieces(reply):
            text += piece
            while b"\n\n" in text:
                event, _, text = text.partition(b"\n\n")
                self.take(event)
            if time.monotonic() - self.heard > HUNG:
                raise TimeoutError
            if self.leaving.is_set():
                return False
        if text:
            raise Wrong(f"ended inside an event: {text[:100]!r}")
        return True

    def take(self, event: bytes) -> None:
        if event == b":":
            return
        match = re.fullmatch(rb"event: tick\nid: (\d+)\ndata: event \1", event)
        if not match:
            raise Wrong(f"no such event: {event[:100]!r}")
        number = int(match[1])
        if self.last and number != self.last + 1:
            raise Wrong(f"event {self.last} is followed by {number}")
        self.last, self.heard = number, time.monotonic()


_CLIENTS = {FAST: Fast, SLOW: Slow, PLAIN: Plain, PUT: Digest, POST: Post, PLAIN_POST: PlainPost,
            UPLOAD: Upload, DOWNLOAD: Download, READER: Reader, LEAVER: Leaver, PLAIN_LEAVER: PlainLeaver, EVENTS: Events}


class Load:
    """All clients, from construction to stop()."""

    def __init__(self, site: Site, ledger: Ledger, seed: int) -> None:
        self.ledger = ledger
        self.clients = [
            _CLIENTS[kind](kind, site, ledger, seed * 1000 + number)
            for number, kind in enumerate(kind for kind, count in CROWD.items() for _ in range(count))
        ]
        for client in self.clients:
            client.start()

    def stop(self) -> None:
        """Lets every client finish its request."""
        for client in self.clients:
            client.leaving.set()
        end = time.monotonic() + 2 * HUNG
        for client in self.clients:
            client.join(max(0.0, end - time.monotonic()))
            if client.is_alive():
                self.ledger.defect(f"{client.name} did not end")
