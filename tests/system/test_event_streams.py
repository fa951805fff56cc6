"""Ten thousand open event streams in one worker: what they cost, and that a reload loses nothing."""

import re
import selectors
import socket
import time
from pathlib import Path

import pytest

from harness import fastcgi
from harness.many import MANY_CLIENTS, SPARE_DESCRIPTORS

KIB_PER_CLIENT = 24
EVERY_MS = 5000
EVENT = re.compile(rb"event: tick\nid: (\d+)\ndata: event \1\n\n")


class Stream:
    """One browser: connects, collects ids, and connects again behind the last one."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.last = 0
        self.received = 0
        self.connections = 0
        self.socket = None
        self.connect()

    def connect(self) -> None:
        more = {"HTTP_LAST_EVENT_ID": str(self.last)} if self.last else {}
        params = fastcgi.pairs(fastcgi.variables("GET", "/events", **more))
        request = (
            fastcgi.begin(1)
            + fastcgi.stream(fastcgi.PARAMS, 1, params)
            + fastcgi.stream(fastcgi.STDIN, 1, b"")
        )
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self.address)
        self.socket.sendall(request)
        self.socket.setblocking(False)
        self.wire, self.text, self.headed = b"", b"", False
        self.connections += 1

    def readable(self) -> bool:
        """Takes what is there; False when the response is over, which must be a clean end."""
        got = self.socket.recv(65536)
        assert got, "the connection was closed inside a response"
        self.wire += got
        while len(self.wire) >= 8:
            version, kind = self.wire[0], self.wire[1]
            size = int.from_bytes(self.wire[4:6], "big")
            end = 8 + size + self.wire[6]
            if len(self.wire) < end:
                break
            content, self.wire = self.wire[8 : 8 + size], self.wire[end:]
            assert version == 1, "the response was broken off"
            if kind == fastcgi.STDOUT:
                self.take(content)
            elif kind == fastcgi.END:
                assert content[:5] == bytes(5), "the response failed"
                assert self.headed and self.text == b"", f"cut inside an event: {self.text}"
                self.socket.close()
                return False
        return True

    def take(self, content: bytes) -> None:
        self.text += content
        if not self.headed:
            head, end, rest = self.text.partition(b"\r\n\r\n")
            if not end:
                return
            assert b"text/event-stream" in head, head
            self.headed, self.text = True, rest
        while b"\n\n" in self.text:
            event, _, self.text = self.text.partition(b"\n\n")
            if event == b":":
                continue
            match = EVENT.fullmatch(event + b"\n\n")
            assert match, event
            number = int(match[1])
            assert not self.last or number == self.last + 1, f"{self.last} is followed by {number}"
            self.last = number
            self.received += 1


class Browsers:
    def __init__(self, address: str) -> None:
        self.address = address
        self.selector = selectors.DefaultSelector()
        self.streams: list[Stream] = []

    def open(self, count: int) -> None:
        for _ in range(count):
            stream = Stream(self.address)
            self.streams.append(stream)
            self.selector.register(stream.socket, selectors.EVENT_READ, stream)
            if len(self.streams) % 200 == 0:
                self.serve(0)

    def serve(self, patience: float) -> None:
        for key, _ in self.selector.select(patience):
            stream = key.data
            old = stream.socket
            self.selector.unregister(old)
            if not stream.readable():
                stream.connect()
            self.selector.register(stream.socket, selectors.EVENT_READ, stream)

    def until(self, done, what: str, patience: float) -> None:
        deadline = time.monotonic() + patience
        # done() looks at every stream: asked after each event, it would take longer than the events.
        while not done():
            now = time.monotonic()
            assert now < deadline, f"not within {patience} s: {what}"
            while time.monotonic() < now + 0.2:
                self.serve(0.2)

    def stop(self) -> None:
        for stream in self.streams:
            stream.socket.close()
        self.selector.close()


def memory(pids: list[int]) -> int:
    """Bytes that only these processes need, and their share of what they share."""
    total = 0
    for pid in pids:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += sum(int(kib) for kib in re.findall(r"^(?:Pss|SwapPss): +(\d+) kB", text, re.M))
        # The tables that map the stacks.
        status = Path(f"/proc/{pid}/status").read_text()
        total += int(re.search(r"^VmPTE:\s+(\d+) kB", status, re.M)[1])
    return total * 1024


@pytest.mark.slow
def test_ten_thousand_streams_survive_a_reload(viaductd, stopping, many_descriptors, capsys):
    count = many_descriptors
    app = viaductd.app(
        "events",
        concurrency={"model": "fibers", "limit": MANY_CLIENTS + SPARE_DESCRIPTORS},
        env={"START": str(int(time.time()) - 10), "EVERY_MS": str(EVERY_MS)},
        # They come faster than a busy worker reads its link.
        limits={"queue": MANY_CLIENTS + SPARE_DESCRIPTORS},
        timeouts={"queue": "30m", "request": "30m", "stall": "30m", "stop": "30m"},
    )
    viaductd.settings["limits"] = {"connections": MANY_CLIENTS + SPARE_DESCRIPTORS}
    viaductd.start()
    # What the first requests leave behind belongs to nobody in particular.
    browsers = Browsers(viaductd.socket)
    stopping.append(browsers)
    browsers.open(16)
    browsers.until(lambda: all(s.received for s in browsers.streams), "first events", 60)
    processes = [viaductd.bridge(), *viaductd.workers()]
    before = memory(processes)

    browsers.open(count - 16)
    browsers.until(lambda: all(s.received for s in browsers.streams), "every client has events", 300)
    per_client = (memory(processes) - before) / (count - 16) / 1024
    scaled = "" if count == MANY_CLIENTS else f" (RLIMIT_NOFILE allows no {MANY_CLIENTS})"
    with capsys.disabled():
        print(f"\n{count} event streams{scaled}: {per_client:.1f} KiB each in bridge and worker")
    assert per_client <= KIB_PER_CLIENT

    app["env"]["STAGE"] = "next"
    began = time.monotonic()
    assert "web restarted (env changed)" in viaductd.reload()
    browsers.until(
        lambda: all(s.connections == 2 for s in browsers.streams), "every client came back", 300
    )
    with capsys.disabled():
        print(f"a reload ended them and all were back after {time.monotonic() - began:.1f} s")
    seen = {stream: stream.received for stream in browsers.streams}
    browsers.until(lambda: all(s.received > seen[s] for s in seen), "events of the new worker", 300)
    assert all(stream.connections == 2 for stream in browsers.streams)


@pytest.mark.parametrize("changed", [True, False], ids=["changed app", "kept app"])
def test_reload_ends_streams_at_once(viaductd, stopping, changed):
    """Long before timeouts.stop; also where the worker stays and only the bridge is replaced."""
    app = viaductd.app(
        "events", env={"START": str(int(time.time()) - 10), "EVERY_MS": "100"}, timeouts={"stop": "60s"}
    )
    viaductd.start()
    browsers = Browsers(viaductd.socket)
    stopping.append(browsers)
    browsers.open(20)
    browsers.until(lambda: all(s.received > 1 for s in browsers.streams), "events", 30)
    if changed:
        app["env"]["STAGE"] = "next"
    assert ("web restarted" if changed else "web kept") in viaductd.reload()
    browsers.until(lambda: all(s.connections == 2 for s in browsers.streams), "they came back", 20)
    seen = {stream: stream.received for stream in browsers.streams}
    browsers.until(lambda: all(s.received > seen[s] for s in seen), "events after it", 20)
