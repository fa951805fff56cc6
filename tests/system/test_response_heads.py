"""Heads of responses that break the rules: what front servers make of them without viaductd, and what
viaductd makes of them."""

from typing import NamedTuple, Optional

import pytest

from harness import fastcgi, http
from harness.raw_responder import RawResponder

TYPE = b"Content-Type: text/plain\r\n"
BODY = b"\r\nbody\n"
FRONTS = ["nginx", "apache", "caddy", "lighttpd", "haproxy"]


class Case(NamedTuple):
    """`peers`: how many of the five front servers serve it as the program means it."""

    answer: bytes
    status: int
    peers: int
    field: Optional[tuple[str, str]] = ("Content-Type", "text/plain")


# Lenient serves them, strict does not.
MENDED = {
    "type-twice": Case(b"Content-Type: text/html\r\n" + TYPE + BODY, 200, 5),
    "status-twice": Case(b"Status: 404 A\r\nStatus: 404 A\r\n" + TYPE + BODY, 404, 5),
    "empty-head": Case(BODY, 200, 5, None),
    "coding-chunked": Case(TYPE + b"Transfer-Encoding: chunked\r\n" + BODY, 200, 4),
    "coding-identity": Case(TYPE + b"Transfer-Encoding: identity\r\n" + BODY, 200, 4),
    "length-list": Case(TYPE + b"Content-Length: 5, 5\r\n" + BODY, 200, 5),
    "length-word": Case(TYPE + b"Content-Length: five\r\n" + BODY, 200, 4),
    "length-negative": Case(TYPE + b"Content-Length: -1\r\n" + BODY, 200, 4),
    "length-empty": Case(TYPE + b"Content-Length:\r\n" + BODY, 200, 4),
    "length-huge": Case(TYPE + b"Content-Length: 99999999999999999999\r\n" + BODY, 200, 4),
    "name-brackets": Case(TYPE + b"X(A): b\r\n" + BODY, 200, 4),
    "name-utf8": Case(TYPE + b"X-\xc3\xa9: b\r\n" + BODY, 200, 4),
}
# Both serve them.
SERVED = {
    "status-last": Case(TYPE + b"Status: 404 Not Found\r\n" + BODY, 404, 5),
    "status-no-reason": Case(b"Status: 404\r\n" + TYPE + BODY, 404, 5),
    "status-600": Case(b"Status: 600 X\r\n" + TYPE + BODY, 600, 5),
    "lf": Case(b"Content-Type: text/plain\n\nbody\n", 200, 5),
    "control-character": Case(TYPE + b"X-A: o\x01ne\r\n" + BODY, 200, 4),
}
# Neither does: what they mean is not clear, or they could mean two things to two readers. Or four of
# five front servers do not serve them.
REFUSED = {
    "no-colon": Case(TYPE + b"garbage line\r\n" + BODY, 502, 1),
    "space-before-colon": Case(TYPE + b"X-A : b\r\n" + BODY, 502, 3),
    "space-in-name": Case(TYPE + b"X A: b\r\n" + BODY, 502, 3),
    "folded": Case(TYPE + b"X-A: one\r\n two\r\n" + BODY, 502, 3),
    "nul": Case(TYPE + b"X-A: o\0ne\r\n" + BODY, 502, 4),
    "cr": Case(TYPE + b"X-A: o\rX-B: c\r\n" + BODY, 502, 3),
    "lengths": Case(TYPE + b"Content-Length: 5\r\nContent-Length: 3\r\n" + BODY, 502, 4),
    "status-word": Case(b"Status: OK\r\n" + TYPE + BODY, 502, 0),
    "status-twice-other": Case(b"Status: 404 A\r\nStatus: 403 B\r\n" + TYPE + BODY, 502, 5),
    "coding-gzip": Case(TYPE + b"Transfer-Encoding: gzip\r\n" + BODY, 502, 4),
}
# Front servers take them for final, hang, or send them twice.
INTERIM = {
    "early-hints": Case(b"Status: 103 Early Hints\r\nLink: </a>\r\n\r\n" + TYPE + BODY, 200, 0),
    "continue": Case(b"Status: 100 Continue\r\n\r\nStatus: 404 Not Found\r\n" + TYPE + BODY, 404, 0),
    "sixteen": Case(b"Status: 102 Processing\r\n\r\n" * 16 + TYPE + BODY, 200, 0),
    "seventeen": Case(b"Status: 102 Processing\r\n\r\n" * 17 + TYPE + BODY, 502, 0),
    "early-hints-alone": Case(b"Status: 103 Early Hints\r\n\r\n", 502, 0),
    "switching": Case(b"Status: 101 Switching Protocols\r\nUpgrade: x\r\n" + BODY, 502, 0),
}
NO_CONTENT = {"reset-content": b"Status: 205 Reset Content\r\n" + TYPE + b"Content-Length: 5\r\n" + BODY}
ALL = {**MENDED, **SERVED, **REFUSED, **INTERIM}


@pytest.fixture
def responder(directory, stopping):
    path = directory / "program.sock"
    stopping.append(RawResponder(path, {**{name: case.answer for name, case in ALL.items()}, **NO_CONTENT}))
    return path


@pytest.fixture
def program(viaductd, responder):
    """The app's section, before viaductd starts."""
    app = {"connect": [f"unix:{responder}"]}
    viaductd.settings["apps"]["web"] = app
    return app


def serves(port: int, case: Case, name: str) -> bool:
    try:
        with http.Connection(port) as client:
            client.send_head("GET", f"/{name}/")
            return client.read_head().status == case.status
    except http.Broken:
        return False


def test_what_front_servers_serve_by_themselves(responder, start_front):
    """The table above is true: it says what users are used to."""
    fronts = [start_front(name, responder) for name in FRONTS]
    # Of REFUSED, `status` is what viaductd says.
    meant = {name: case for name, case in ALL.items() if name not in REFUSED and name not in INTERIM}
    served = {name: sum(serves(front.port, case, name) for front in fronts) for name, case in meant.items()}
    assert served == {name: case.peers for name, case in meant.items()}


@pytest.mark.parametrize("front", FRONTS)
def test_behind_a_front_server(program, viaductd, start_front, front):
    viaductd.start()
    port = start_front(front, viaductd.socket).port
    for name, case in ALL.items():
        if front == "apache" and name == "control-character":
            continue  # Apache lets nobody send it one
        reply = http.request(port, f"/{name}/")
        assert reply.status == case.status, name
        if reply.status == 502:
            continue
        assert reply.body == b"body\n", name
        if case.field:
            assert reply.all(case.field[0]) == [case.field[1]], name
        assert reply.get("Link") is None


@pytest.mark.parametrize("front", FRONTS)
def test_reset_content(program, viaductd, start_front, front):
    """Nothing of its body arrives, nor a length of it: the next response is where it should be."""
    viaductd.start()
    with http.Connection(start_front(front, viaductd.socket).port) as client:
        for target, status, body in [("/reset-content/", 205, b""), ("/lf/", 200, b"body\n")]:
            client.send_head("GET", target)
            reply = client.read_reply()
            assert (reply.status, reply.body) == (status, body)


def test_strict(program, viaductd):
    program["response_heads"] = "strict"
    viaductd.start()
    for name, case in ALL.items():
        expected = 502 if name in MENDED else case.status
        assert fastcgi.request(viaductd.socket, f"/{name}/").status == expected, name


def test_what_is_mended_is_said_once(program, viaductd):
    viaductd.start()
    for _ in range(3):
        for name in MENDED:
            assert fastcgi.request(viaductd.socket, f"/{name}/").status == MENDED[name].status
    lines = [line for line in viaductd.lines() if "response head mended" in line]
    assert [line.partition(" line=")[2] for line in lines] == [
        '"Content-Type: text/plain"', '""', '"Transfer-Encoding: chunked"', '"Content-Length: five"', '"X(A): b"',
    ]


def test_upgrade_only_where_both_want_it(program, viaductd):
    viaductd.settings["listeners"][0]["upgrade"] = True
    viaductd.start()
    assert fastcgi.request(viaductd.socket, "/switching/").status == 502
    answer = fastcgi.request(viaductd.socket, "/switching/", HTTP_UPGRADE="x")
    assert (answer.status, answer.head["upgrade"], answer.body) == (101, "x", b"body\n")
