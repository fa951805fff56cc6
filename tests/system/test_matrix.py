"""Every front server by every protocol it speaks to every kind of application, and to a program that says its
responses byte by byte: the usual requests and the cases of harness/cases.py.

`tests/run --matrix` runs all cells and prints a table of them and one of the cases. Otherwise only
those run in which one thing changes: every way to the SDK and to that program, and nginx by FastCGI to
every kind.
"""

import os
import signal

import pytest

from harness import apps, cases, http
from harness.direct import CachingNginx
from harness.process import wait_for
from harness.tool import Tool
from harness.ways import FRONTS, MISSING, PROTOCOLS, WAYS

MIB = 1 << 20
WHOLE = os.environ.get("VIADUCT_MATRIX") == "all"
LARGE = 100 * MIB if WHOLE else 10 * MIB


def cells():
    for front in FRONTS:
        for protocol in PROTOCOLS:
            for kind in apps.KINDS:
                usual = kind == "sdk-fibers" or (front, protocol) == ("nginx", "fastcgi")
                if WHOLE or usual:
                    yield pytest.param(front, protocol, kind, id=f"{front}-{protocol}-{kind}")


@pytest.fixture
def serve(viaductd, directory, stopping, logs):
    """serve(front, protocol, kind): a front server on the way to an application of that kind."""

    def begin(front: str, protocol: str, kind: str):
        way = WAYS.get((front, protocol))
        if way is None:
            pytest.skip(MISSING[front, protocol])
        viaductd.app(kind, limits={"body": "256MiB"}, workers=cases.WORKERS)
        socket = str(directory / f"{protocol}.sock")
        viaductd.settings["listeners"] = [
            {
                "protocol": protocol,
                "address": f"unix:{socket}",
                "mode": "0666",
                **({"head_body": "drop"} if (front, protocol) == ("haproxy", "fastcgi") else {}),
                "routes": [{"path": "/", "mount": kind in apps.READS_PATH_INFO, "app": "web"}],
            }
        ]
        viaductd.start()
        server = way(directory / front, socket)
        logs.append(server)
        stopping.append(server)
        return server.start()

    return begin


@pytest.fixture
def report(request):
    """report(name, result) writes the result of a case beside that of the test."""
    return lambda name, result: request.node.user_properties.append((name, result))


@pytest.mark.parametrize("front, protocol, kind", cells())
def test_cell(viaductd, serve, report, front, protocol, kind):
    port = serve(front, protocol, kind).port
    tool = Tool(viaductd)

    assert http.request(port, "/hello").text == "hello\n"
    head = http.request(port, "/generate?bytes=1000", "HEAD")
    # Apache drops the length of an answer to HEAD, viaductd or not.
    drops = front == "apache" and protocol in ("fastcgi", "scgi")
    assert (head.status, head.get("Content-Length"), head.body) == (200, None if drops else "1000", b"")
    for code in (204, 304, 404, 500):
        reply = http.request(port, f"/status?code={code}")
        assert reply.status == code
        assert (reply.body == b"") == (code in (204, 304))
    size = 100_001
    assert http.request(port, "/digest", "POST", body=b"".join(http.pattern(size))).text == digest(size)

    fields = [("Content-Length", str(LARGE))]
    upload = http.request(port, "/digest", "POST", fields, http.pattern(LARGE), timeout=240)
    assert upload.text == digest(LARGE)
    download = http.request(port, f"/generate?bytes={LARGE}", keep_body=False, timeout=240)
    assert (download.length, download.sha256) == (LARGE, http.pattern_sha256(LARGE))

    if kind not in apps.NOT_IN_PIECES:
        with http.Connection(port) as client:
            client.send_head("GET", "/endless?mark=gone")
            assert client.read_head().status == 200
        assert viaductd.mark("gone") == "write failed\n"

    killed = viaductd.workers()[0]
    os.kill(killed, signal.SIGKILL)
    for _ in range(4):
        assert http.request(port, "/hello").text == "hello\n"
    wait_for(lambda: len(viaductd.workers()) == 2 and killed not in viaductd.workers(), "a new worker")
    wait_for(lambda: tool.status()["apps"][0]["active"] == 0, "nothing is left of a request")

    failed = cases.run(cases.OF_APPLICATIONS, cases.Site(front, protocol, kind, port, viaductd), report)
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("front, protocol", [(front, protocol) for front in FRONTS for protocol in PROTOCOLS])
def test_program(viaductd, serve_answers, report, front, protocol):
    way = WAYS.get((front, protocol))
    if way is None:
        pytest.skip(MISSING[front, protocol])
    keys = {"head_body": "drop"} if (front, protocol) == ("haproxy", "fastcgi") else {}
    if front == "nginx" and protocol != "http":
        way = lambda directory, socket: CachingNginx(directory, socket, protocol)  # noqa: E731
    port = serve_answers(way, protocol, cases.ANSWERS, **keys)[0].port
    failed = cases.run(cases.OF_A_PROGRAM, cases.Site(front, protocol, "program", port, viaductd), report)
    assert not failed, "\n".join(failed)


def digest(size: int) -> str:
    return f"{size} {http.pattern_sha256(size)}\n"
