"""Clients that hold what they can for as long as they can. Everybody else is served meanwhile, and what
they hold is taken back. What can be said in one write is attacked in tests/daemon/bridge."""

import re
import select
import socket
import time

import pytest

from harness import fastcgi, http, scgi
from harness.many import MANY_CLIENTS, SPARE_DESCRIPTORS
from harness.ports import reserve_port
from harness.process import descriptors, memory, peak_memory, wait_for
from harness.tool import Tool

# A head has a minute (daemon/bridge/front/patience.hpp), an idle HTTP connection 75 s, a vanished TCP
# peer is noticed within two minutes; a loaded machine may take longer.
BOUND = 240
TCP_REPAIR = 19


class Slow:
    """A client that sends a head, a byte at a time."""

    def __init__(self, address, head: bytes) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.connect(address)
        self.socket.setblocking(False)
        self.head, self.sent, self.closed_after = head, 0, 0.0
        self.began = time.monotonic()

    def drip(self) -> None:
        if self.closed_after:
            return
        try:
            self.sent += self.socket.send(self.head[self.sent : self.sent + 1])
            self.closed_after = 0.0 if self.socket.recv(1) else self._age()
        except BlockingIOError:
            pass
        except OSError:
            self.closed_after = self._age()

    def _age(self) -> float:
        return time.monotonic() - self.began


def vanish(connection: socket.socket) -> None:
    """Closes it such that the peer hears nothing of it, as when a machine loses its power."""
    connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    connection.close()


def served_by(daemon) -> bool:
    return fastcgi.Client(daemon.socket).request("/hello").body == b"hello\n"


def served(daemon, port: int) -> bool:
    return (
        served_by(daemon)
        and http.request(port, "/hello").text == "hello\n"
    )


def add_listener(daemon, protocol: str, address: str) -> None:
    daemon.settings["listeners"].append(
        {"protocol": protocol, "address": address, "app": "web"}
        | ({"mode": "0666"} if address.startswith("unix:") else {})
    )


@pytest.mark.slow
def test_who_is_slow_or_gone_is_given_up(viaductd):
    """Slow heads in every protocol, idle HTTP clients, and TCP peers that vanished: all at once, since
    each of them takes a minute."""
    web, fcgi, uwsgi = reserve_port(), reserve_port(), str(viaductd.directory / "uwsgi.sock")
    viaductd.app("sdk", concurrency={"model": "fibers", "limit": 64}, timeouts={"request": 0})
    add_listener(viaductd, "http", f"tcp:127.0.0.1:{web}")
    add_listener(viaductd, "fastcgi", f"tcp:127.0.0.1:{fcgi}")
    add_listener(viaductd, "uwsgi", f"unix:{uwsgi}")
    viaductd.start()
    assert served(viaductd, web)
    before = descriptors(viaductd.bridge())

    gone = socket.create_connection(("127.0.0.1", fcgi))
    gone.sendall(
        fastcgi.begin(1)
        + fastcgi.stream(fastcgi.PARAMS, 1, fastcgi.pairs(fastcgi.variables("GET", "/wait?mark=gone")))
        + fastcgi.stream(fastcgi.STDIN, 1, b"")
    )
    viaductd.mark("gone")
    vanish(gone)
    gone_idle = socket.create_connection(("127.0.0.1", fcgi))
    long = 200  # bytes of a head that is sound, and far from its end after a minute
    heads = {
        ("127.0.0.1", web): b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * long,
        viaductd.socket: fastcgi.begin(1) + fastcgi.record(
            fastcgi.PARAMS, 1, b"\x01\x80\x00\x01\x2cA" + b"x" * long
        ),
        viaductd.scgi: b"500:CONTENT_LENGTH\x000\x00SCGI\x001\x00A\x00" + b"x" * long,
        uwsgi: b"\x00\x00\x02\x00\x01\x00A\xf0\x01" + b"x" * long,
    }
    slow = [Slow(address, head) for address, head in heads.items() for _ in range(20)]
    idle = [socket.create_connection(("127.0.0.1", web)) for _ in range(20)]
    vanish(gone_idle)
    wait_for(lambda: descriptors(viaductd.bridge()) >= before + 100, "all are connected")

    def all_are_closed() -> bool:
        for client in slow:
            client.drip()
        assert served(viaductd, web)
        time.sleep(0.5)  # the pace of the attack
        return all(client.closed_after for client in slow)

    wait_for(all_are_closed, "slow clients are given up", BOUND)
    assert min(client.closed_after for client in slow) > 55, "a head may take a minute"
    assert all(client.sent < len(client.head) for client in slow)
    viaductd.logged("the head of a request is not completed")
    for client in idle:
        client.settimeout(BOUND)
        assert client.recv(1) == b"", "an idle client of HTTP is given up"
    viaductd.mark("gone.stopped", BOUND)
    wait_for(lambda: descriptors(viaductd.bridge()) <= before + 2, "nothing is left", BOUND)
    assert served(viaductd, web)


def test_ten_thousand_idle_connections(viaductd, many_descriptors, capsys):
    """A third of them each: FastCGI, SCGI, HTTP; half have sent a part of a head."""
    web = str(viaductd.directory / "http.sock")
    viaductd.app("sdk", concurrency={"model": "fibers", "limit": 64})
    add_listener(viaductd, "http", f"unix:{web}")
    viaductd.settings["limits"] = {"connections": MANY_CLIENTS + SPARE_DESCRIPTORS}
    viaductd.start()
    assert fastcgi.Client(viaductd.socket).request("/hello").body == b"hello\n"
    wait_for(lambda: Tool(viaductd).status()["connections"] == 0, "that connection is closed")
    bridge = viaductd.bridge()
    before, open_before = memory(bridge), descriptors(bridge)
    parts = [(viaductd.socket, fastcgi.begin(1)), (viaductd.scgi, b"100:CONTENT"), (web, b"GET / HT")]
    clients = []
    try:
        for number in range(many_descriptors):
            address, part = parts[number % len(parts)]
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            client.connect(address)
            if number % 2:
                client.sendall(part)
            clients.append(client)
        wait_for(
            lambda: descriptors(bridge) >= open_before + many_descriptors, "all are accepted", 120
        )
        each = (memory(bridge) - before) / many_descriptors / 1024
        with capsys.disabled():
            print(f"\n{many_descriptors} idle connections: {each:.1f} KiB each in the bridge")
        assert each < 8
        assert fastcgi.Client(viaductd.socket).request("/hello").body == b"hello\n"
        assert scgi.request(viaductd.scgi, "/hello").body == b"hello\n"
    finally:
        for client in clients:
            client.close()
    wait_for(lambda: descriptors(bridge) < open_before + 20, "their descriptors are closed", 120)


def incomplete_heads(protocol: str) -> bytes:
    """About 5 MB of request heads that never end, on one connection where the protocol allows it."""
    text = b"x" * 50_000
    if protocol == "http":
        return b"GET / HTTP/1.1\r\nHost: h\r\nX: " + text
    if protocol == "scgi":
        return b"60000:CONTENT_LENGTH\x000\x00SCGI\x001\x00A\x00" + text
    pair = b"\x01" + fastcgi.length(60_000) + b"A" + text
    return b"".join(
        fastcgi.begin(number) + fastcgi.record(fastcgi.PARAMS, number, pair)
        for number in range(1, 101)
    )


def requests_for(target: str) -> bytes:
    params = fastcgi.pairs(fastcgi.variables("GET", target))
    return b"".join(
        fastcgi.begin(number)
        + fastcgi.stream(fastcgi.PARAMS, number, params)
        + fastcgi.stream(fastcgi.STDIN, number, b"")
        for number in range(1, 51)
    )


class Flood:
    """Sends what it is given and reads nothing."""

    def __init__(self, address: str, data: bytes) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(address)
        self.socket.setblocking(False)
        self.rest = memoryview(data)
        self.cut_off = False

    def hung_up(self) -> bool:
        """Whether the peer has closed the connection, with bytes unread or not."""
        waiting = select.poll()
        waiting.register(self.socket, 0)
        return bool(waiting.poll(0))

    def over(self) -> bool:
        """Whether everything is said, or the peer has had enough."""
        try:
            while self.rest and not self.cut_off:
                self.rest = self.rest[self.socket.send(self.rest) :]
        except BlockingIOError:
            return False
        except OSError:
            self.cut_off = True
        return True


def test_memory_stays_below_what_check_says(viaductd, capsys):
    """Heads that never end, responses that nobody reads: first the one, then the other, then both."""
    web = str(viaductd.directory / "http.sock")
    viaductd.app("sdk", concurrency={"model": "fibers", "limit": 1000}, timeouts={"queue": "60s"})
    add_listener(viaductd, "http", f"unix:{web}")
    viaductd.settings["bridge"] = {**viaductd.settings.get("bridge", {}), "threads": 2}
    viaductd.settings["limits"] = {"connections": 1000, "memory": "64MiB"}
    viaductd.start()
    said = re.search(r"memory of a bridge process: at most (\d+) MiB", viaductd.check().stdout)
    assert said
    bound = int(said[1]) << 20
    heads = [
        (address, incomplete_heads(protocol))
        for protocol, address in (("http", web), ("scgi", viaductd.scgi))
        for _ in range(100)
    ] + [(viaductd.socket, incomplete_heads("fastcgi"))] * 24
    responses = [(viaductd.socket, requests_for("/generate?bytes=1000000"))] * 12
    bridge = viaductd.bridge()
    for attack in (heads, responses, heads + responses):
        floods = [Flood(address, data) for address, data in attack]
        wait_for(lambda: all([flood.over() for flood in floods]), "the attack", 120)
        wait_for(
            lambda: not served_by(viaductd) or any(flood.hung_up() for flood in floods),
            "the limit is felt",
            120,
        )
        for flood in floods:
            flood.socket.close()
        wait_for(lambda: served_by(viaductd), "everybody else is served again", 120)
        assert peak_memory(bridge) <= bound
    with capsys.disabled():
        print(f"\nat most {peak_memory(bridge) >> 20} MiB resident, {bound >> 20} MiB allowed")
    assert peak_memory(bridge) >= bound // 2, "it was no attack"
    assert bridge == viaductd.bridge()
