"""Existing FastCGI programs as workers, unchanged: libfcgi in C and C++, FCGI.pm, Plack, php-cgi, Rack,
Flask on uWSGI, CGI scripts under fcgiwrap."""

import os
import signal

import pytest

from harness import fastcgi, http
from harness.apps import Direct, LEGACY, NOT_IN_PIECES
from harness.paths import built
from harness.process import alive, wait_for

MIB = 1 << 20
KINDS = list(LEGACY)
# What a program cannot do, and why.
CANNOT = {
    (kind, "response in pieces"): f"{kind} keeps the whole response in memory" for kind in NOT_IN_PIECES
}


def needs(kind: str, what: str) -> None:
    if reason := CANNOT.get((kind, what)):
        pytest.skip(reason)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def front(kind, viaductd, start_front):
    viaductd.app(kind, workers=2, limits={"body": "256MiB"})
    viaductd.start()
    return start_front("nginx-unbuffered", viaductd.socket)


def test_get_head_and_status(front):
    assert http.request(front.port, "/hello").text == "hello\n"
    head = http.request(front.port, "/generate?bytes=1000", "HEAD")
    assert (head.status, head.get("Content-Length"), head.body) == (200, "1000", b"")
    for code in (201, 204, 304, 404, 500):
        assert http.request(front.port, f"/status?code={code}").status == code
    assert len(http.request(front.port, "/cookies").all("Set-Cookie")) == 2
    assert http.request(front.port, "/redirect").status == 302


def test_uploads(front):
    for size in (0, 1, 65535, 65536, 99000):
        body = b"".join(http.pattern(size))
        expected = f"{size} {http.pattern_sha256(size)}\n"
        assert http.request(front.port, "/digest", "POST", body=body).text == expected


def test_chunked_upload(front):
    # Some of them read no body without CONTENT_LENGTH: php-cgi, and uWSGI.
    size = 200_000
    reply = http.request(front.port, "/digest", "POST", body=list(http.pattern(size)), chunked=True)
    assert reply.text == f"{size} {http.pattern_sha256(size)}\n"


def test_large_bodies_both_ways(kind, viaductd, start_front):
    # Nobody is aborted here, and a busy machine takes its time.
    viaductd.app(kind, limits={"body": "256MiB"}, timeouts={"request": "240s"})
    viaductd.start()
    front = start_front("nginx-unbuffered", viaductd.socket)
    size = 100 * MIB
    upload = http.request(
        front.port,
        "/digest",
        "POST",
        headers=[("Content-Length", str(size))],
        body=http.pattern(size),
        timeout=240,
    )
    assert upload.text == f"{size} {http.pattern_sha256(size)}\n"
    download = http.request(front.port, f"/generate?bytes={size}", keep_body=False, timeout=240)
    assert (download.length, download.sha256) == (size, http.pattern_sha256(size))


def test_diagnostics_reach_the_log(kind, front, viaductd):
    assert http.request(front.port, "/stderr?text=marked").text == "reported\n"
    viaductd.logged("marked of the request")
    viaductd.logged("marked of the process")


def test_worker_death_is_answered_and_repaired(front, viaductd):
    old = viaductd.workers()
    assert len(old) == 2
    assert http.request(front.port, "/crash", "POST", body=b"x").status == 502
    assert http.request(front.port, "/hello").text == "hello\n"
    wait_for(lambda: len(viaductd.workers()) == 2 and viaductd.workers() != old, "a new worker")


def test_idempotent_request_survives_worker_death(front):
    assert int(http.request(front.port, "/once?mark=crashed").text) > 0


@pytest.mark.parametrize("variant", ["nginx", "nginx-unbuffered", "apache"])
def test_crash_in_the_response_is_seen(kind, viaductd, start_front, variant):
    """nginx takes the end of file for the end of the body unless the framing is broken."""
    needs(kind, "response in pieces")
    viaductd.app(kind)
    viaductd.start()
    front = start_front(variant, viaductd.socket)
    with pytest.raises(http.Broken):
        http.request(front.port, f"/crash?bytes={300_000}")


def test_client_disconnect_reaches_the_program(kind, front, viaductd):
    needs(kind, "response in pieces")
    with http.Connection(front.port) as client:
        client.send_head("GET", "/endless?mark=gone")
        assert client.read_head().status == 200
    assert viaductd.mark("gone") == "write failed\n"
    assert http.request(front.port, "/hello").text == "hello\n"


def test_one_request_per_worker_at_a_time(kind, viaductd, start_front, start_load):
    viaductd.app(kind, workers=2)
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    load = start_load(front.port, concurrency=8, target="/sleep?ms=100", expect="slept\n", most=8)
    report = load.wait(60)
    assert (report["requests"], report["failed"]) == (8, 0), report
    assert report["seconds"] >= 0.39  # eight times 0.1 s on two workers


def test_killed_while_idle_is_replaced(front, viaductd):
    first = viaductd.workers()[0]
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not alive(first), "the worker is gone")
    for _ in range(4):
        assert http.request(front.port, "/hello").text == "hello\n"


# Bytes that a client chooses must never be parsed as records by a worker. libfcgi reads 8 KiB at a
# time and drops the rest of its buffer with the request; on a kept connection the next thing it
# parses is whatever of the body comes after. The attacker need not know where that is: a body of
# equal records, shifted by one byte per attempt, hits it.

SMUGGLED = (
    fastcgi.begin(1, keep=True)
    + fastcgi.stream(fastcgi.PARAMS, 1, fastcgi.pairs([("REQUEST_URI", "/smuggled")]))
    + fastcgi.stream(fastcgi.STDIN, 1, b"")
)


def attack(address: str, name: str, keep: bool, shift: int) -> None:
    body = bytes(shift) + SMUGGLED * (32768 // len(SMUGGLED))
    with fastcgi.Client(address) as client:
        answer = client.request(f"/{name}", "POST", body=body, keep=keep)
        assert answer.body == f"/{name}\n".encode()
        if keep:
            client.request("/again", keep=True)


def test_without_viaductd_the_attack_works(stage, directory, stopping):
    app = Direct("ignores_stdin", stage, directory)
    stopping.append(app)
    for shift in range(len(SMUGGLED)):
        attack(app.address, "honest", True, shift)
        if "served /smuggled" in app.log.read_text():
            return
    pytest.fail("the attack of the next test would not find anything")


@pytest.mark.parametrize("keep", [False, True])
def test_unread_body_is_never_run_as_a_request(viaductd, keep):
    viaductd.command(str(viaductd.stage.put(built("ignores_stdin"))))
    viaductd.start()
    for shift in range(len(SMUGGLED)):
        attack(viaductd.socket, f"honest-{shift}", keep, shift)
    answer = fastcgi.request(viaductd.socket, "/last", keep=True)
    assert answer.body == b"/last\n"
    viaductd.logged("served /last")
    assert "smuggled" not in viaductd.text()
