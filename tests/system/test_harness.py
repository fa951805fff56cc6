"""The harness itself: a load generator that overlooked failures would make every test pass."""

import contextlib
import json
import socket
import threading
from pathlib import Path

import pytest

from harness import http
from harness.apps import Direct
from harness.load import assert_clean
from harness.network import Network
from harness.ports import reserve_port


@pytest.fixture
def app(stage, directory, stopping):
    made = Direct("libfcgi", stage, directory)
    stopping.append(made)
    return made


@pytest.mark.parametrize("close", [False, True])
def test_load_counts_good_answers(app, start_front, start_load, close):
    front = start_front("nginx-close", app.address)
    load = start_load(front.port, concurrency=8, mix="both", close=close, seconds=0.5, least=50)
    report = load.wait(30)
    assert_clean(report)
    assert report["requests"] >= 50
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


def test_reserved_ports_are_given_to_nobody_else(stopping):
    try:
        network = Network({})
    except OSError as error:
        pytest.skip(f"no network namespaces can be made here: {error}")
    stopping.append(network)
    with network.inside("front"), contextlib.ExitStack() as taken:
        Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("40000 40007")
        port = reserve_port()
        others = set()
        with pytest.raises(OSError, match="in use"):
            while True:
                other = taken.enter_context(socket.socket())
                other.bind(("127.0.0.1", 0))
                others.add(other.getsockname()[1])
        assert others == set(range(40000, 40008)) - {port}
        taken.close()
        with socket.create_server(("127.0.0.1", port)) as server:  # sets SO_REUSEADDR
            clients = set()
            with pytest.raises(OSError, match="assign"):
                while True:
                    client = taken.enter_context(socket.create_connection(server.getsockname()))
                    clients.add(client.getsockname()[1])
            assert clients == others
