"""Heads of responses that break the rules: what front servers make of them without viaductd, and what
viaductd makes of them."""

import re

import pytest

from harness import fastcgi, http
from harness.heads import ALL, INTERIM, MENDED, NO_CONTENT, REFUSED, REFUSED_BY_FRONT, SERVED, Case
from harness.paths import SOURCE
from harness.raw_responder import RawResponder

FRONTS = ["nginx", "apache", "caddy", "lighttpd", "haproxy"]
TABLED = {**MENDED, **SERVED, **REFUSED}


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
            status = client.read_head().status
    except http.Broken:
        return False
    return status < 500 if case.status == 502 else status == case.status


def test_what_front_servers_serve_by_themselves(responder, start_front):
    """The tables of harness/heads.py are true: they say what users are used to."""
    fronts = [start_front(name, responder) for name in FRONTS]
    asked = {name: case for name, case in TABLED.items() if case.peers is not None}
    served = {name: sum(serves(front.port, case, name) for front in fronts) for name, case in asked.items()}
    assert served == {name: case.peers for name, case in asked.items()}


@pytest.mark.parametrize("front", FRONTS)
def test_behind_a_front_server(program, viaductd, start_front, front):
    viaductd.start()
    port = start_front(front, viaductd.socket).port
    for name, case in ALL.items():
        reply = http.request(port, f"/{name}/")
        assert reply.status == REFUSED_BY_FRONT.get((front, name), case.status), name
        if reply.status >= 500 and reply.status != case.status or reply.status == 502:
            continue
        assert reply.body == case.body, name
        if case.field:
            assert reply.all(case.field[0]) == [case.field[1]], name
        assert reply.get("Link") is None


def test_the_documented_table():
    """protocol/README.md has each head in one row, and says of it what harness/heads.py does."""
    text = (SOURCE / "protocol" / "README.md").read_text().partition("\n## Response heads that break the rules")[2]
    rows = [line.strip("|").split("|") for line in text.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    found = []
    for head, peers, lenient, strict, names in rows[2:]:
        cases = [TABLED[name] for name in re.findall(r"[\w.-]+", names)]
        found += re.findall(r"[\w.-]+", names)
        counts = {"not asked" if case.peers is None else str(case.peers) for case in cases}
        assert {word.strip() for word in peers.partition(";")[0].split(",")} == counts, head
        assert ("502" in lenient) == any(case.status == 502 for case in cases), head
        refused = {name in MENDED or name in REFUSED for name in re.findall(r"[\w.-]+", names)}
        assert refused == {strict.strip() == "502"}, head
    assert sorted(found) == sorted(TABLED)


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
