"""The harness itself: a load generator that overlooked failures would make every test pass."""

import json
import socket
import threading

import pytest

from harness import http
from harness.apps import Direct
from harness.load import assert_clean


@pytest.fixture
def app(stage, directory, stopping):
    made = Direct("libfcgi", stage, directory)
    stopping.append(made)
    return made


@pytest.mark.parametrize("close", [False, True])
def test_load_counts_good_answers(app, start_front, start_load, close):
    front = start_front("nginx-close", app.address)
    report = start_load(front.port, concurrency=8, mix="both", close=close, seconds=0.5).wait(30)
    assert_clean(report, least=50)
    assert 0 < report["p50_ms"] <= report["p99_ms"] <= report["max_ms"]


def test_load_reports_wrong_status(app, start_front, start_load):
    front = start_front("nginx-close", app.address)
    report = start_load(front.port, concurrency=2, target="/nowhere", seconds=0.2).wait(30)
    assert report["failed"] == report["requests"] > 0
    assert "status: 404 GET /nowhere" in report["failures"][0]


def test_load_reports_wrong_body(app, start_front, start_load):
    front = start_front("nginx-close", app.address)
    report = start_load(front.port, concurrency=2, target="/early", seconds=0.2).wait(30)
    assert report["failed"] == report["requests"] > 0
    assert "body: 6 bytes, expected 6" in report["failures"][0]


def serve(answer):
    """A server on its own thread that handles one connection with `answer`; returns the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        with listener, listener.accept()[0] as peer:
            peer.recv(65536)
            answer(peer)

    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1]


def test_load_reports_hanging_answers(start_load):
    release = threading.Event()
    port = serve(lambda peer: release.wait(30))
    load = start_load(port, concurrency=1, seconds=0.1, timeout=0.3)
    report = load.wait(30)
    release.set()
    assert report["failed"] == 1
    assert "hung" in report["failures"][0]


def test_load_reports_cut_answers(start_load):
    port = serve(lambda peer: peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhel"))
    report = start_load(port, concurrency=1, seconds=0.1).wait(30)
    assert "broken" in report["failures"][0], json.dumps(report)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-",
        b"",
    ],
)
def test_client_sees_broken_answers(answer):
    port = serve(lambda peer: peer.sendall(answer))
    with pytest.raises(http.Broken):
        http.request(port, "/")
