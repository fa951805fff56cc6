"""Servers that others run, as they really are: uWSGI by its own protocols, PHP, our own SDK; which of them are up."""

import os

import pytest

from harness import http
from harness.apps import command
from harness.load import assert_clean
from harness.ports import reserve_port
from harness.process import Process, wait_for
from harness.servers import Spawned, Uwsgi, connect
from harness.tool import Tool

MIB = 1 << 20


def digest(size: int) -> str:
    return f"{size} {http.pattern_sha256(size)}\n"


@pytest.fixture
def uwsgi(viaductd, stage, directory, stopping):
    def start(protocol: str, **options) -> Uwsgi:
        server = Uwsgi(protocol, stage, directory, viaductd.marks, **options)
        stopping.append(server)
        return server

    return start


@pytest.fixture
def port(viaductd):
    """Of an HTTP listener: bodies come without their length there."""
    number = reserve_port()
    routes = [{"path": "/", "mount": True, "app": "web"}]
    viaductd.settings["listeners"] = [{"protocol": "http", "address": f"tcp:127.0.0.1:{number}", "routes": routes}]
    return number


def servers(viaductd) -> dict:
    return {server["name"]: server for server in Tool(viaductd).status()["apps"][0]["servers"]}


@pytest.mark.parametrize("protocol", ["uwsgi", "scgi"])
def test_uwsgi_serves_flask(viaductd, uwsgi, port, protocol):
    connect(viaductd, uwsgi(protocol).address, protocol=protocol, limits={"body": "256MiB"})
    viaductd.start()
    assert http.request(port, "/hello").text == "hello\n"
    head = http.request(port, "/generate?bytes=1000", "HEAD")
    assert (head.status, head.body) == (200, b"")
    for code in (204, 304, 404, 500):
        reply = http.request(port, f"/status?code={code}")
        assert (reply.status, reply.body == b"") == (code, code in (204, 304))
    for size in (0, 100_001, 3 * MIB):
        assert http.request(port, "/digest", "POST", body=b"".join(http.pattern(size))).text == digest(size)
        reply = http.request(port, "/digest", "POST", body=list(http.pattern(size)), chunked=True)
        assert reply.text == digest(size)
    large = 30 * MIB
    upload = http.request(port, "/digest", "POST", [("Content-Length", str(large))], http.pattern(large), timeout=240)
    assert upload.text == digest(large)
    download = http.request(port, f"/generate?bytes={large}", keep_body=False, timeout=240)
    assert (download.length, download.sha256) == (large, http.pattern_sha256(large))
    with http.Connection(port) as client:
        client.send_head("GET", "/endless?mark=gone")
        assert client.read_head().status == 200
    assert viaductd.mark("gone") == "write failed\n"
    wait_for(lambda: Tool(viaductd).status()["apps"][0]["active"] == 0, "nothing is left of a request")


@pytest.mark.parametrize("protocol", ["fastcgi", "uwsgi", "scgi"])
def test_one_of_two_is_killed_and_comes_back(viaductd, uwsgi, port, start_load, protocol):
    first, second = uwsgi(protocol, name="first"), uwsgi(protocol, name="second")
    connect(viaductd, first.address, second.address, protocol=protocol, health={"interval": "200ms"})
    viaductd.start()
    load = start_load(port, concurrency=8)
    wait_for(lambda: all(server["requests"] > 50 for server in servers(viaductd).values()), "both serve")
    first.kill()
    viaductd.logged("server is down")
    down = wait_for(lambda: servers(viaductd)[first.address]["failure"] and servers(viaductd)[first.address],
                    "the status to say so")
    assert down["state"] == "down"
    assert servers(viaductd)[second.address]["state"] == "up"
    assert f"{first.address}: {down['failure']}" in Tool(viaductd).run("status").out
    first.start()
    viaductd.logged("server is up again")
    before = servers(viaductd)[first.address]["requests"]
    wait_for(lambda: servers(viaductd)[first.address]["requests"] > before + 50, "it serves again")
    assert_clean(load.finish())


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("protocol", ["uwsgi", "scgi"])
def test_heads_that_the_only_server_has_no_room_for_delay_nobody(viaductd, uwsgi, port, protocol, method):
    """uWSGI closes a connection on a head that is longer than its buffer-size, 4 KiB."""
    server = uwsgi(protocol)
    connect(viaductd, server.address, protocol=protocol)
    viaductd.start()
    assert http.request(port, "/hello").text == "hello\n"
    for _ in range(4):
        reply = http.request(port, "/hello", method, [("Cookie", "c=" + 5000 * "x")])
        assert reply.status == 502
    # In slow start it would get a tenth of the 32 that it gets otherwise.
    waiting = [http.Connection(port) for _ in range(8)]
    for client in waiting:
        client.send_head("GET", "/sleep?ms=500", close=True)
    wait_for(lambda: Tool(viaductd).status()["apps"][0]["active"] == len(waiting), "all of them to be at the server")
    for client in waiting:
        assert client.read_reply().text == "slept\n"
        client.close()
    wait_for(lambda: servers(viaductd)[server.address]["state"] == "up", "the server to be up")
    assert "server is down" not in viaductd.text()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_heads_that_no_server_has_room_for_take_none_down(viaductd, uwsgi, port, method):
    both = [uwsgi("uwsgi", name=name) for name in ("first", "second")]
    connect(viaductd, *(server.address for server in both), protocol="uwsgi")
    viaductd.start()
    for _ in range(2):
        assert http.request(port, "/hello").text == "hello\n"
    for _ in range(8):
        assert http.request(port, "/hello", method, [("Cookie", "c=" + 5000 * "x")]).status == 502
    wait_for(lambda: [server["state"] for server in servers(viaductd).values()] == ["up", "up"], "both to be up")
    assert "server is down" not in viaductd.text()


@pytest.mark.parametrize("protocol", ["uwsgi", "scgi"])
def test_a_second_viaductd_by_other_protocols(viaductd, inner, port, protocol):
    socket = str(inner.directory / "other.sock")
    inner.settings["listeners"] = [{"protocol": protocol, "address": f"unix:{socket}", "mode": "0666", "app": "web"}]
    inner.start()
    connect(viaductd, f"unix:{socket}", protocol=protocol)
    viaductd.settings["listeners"][0]["routes"][0]["mount"] = False
    viaductd.start()
    assert http.request(port, "/hello").text == "hello\n"
    size = 300_000
    assert http.request(port, "/digest", "POST", body=b"".join(http.pattern(size))).text == digest(size)
    assert http.request(port, "/digest", "POST", body=list(http.pattern(size)), chunked=True).text == digest(size)


def test_kept_connections_to_libfcgi(viaductd, stage, directory, stopping, start_front, start_load):
    server = Spawned("unix", stage, directory, count=4)
    stopping.append(server)
    connect(viaductd, server.address, keepalive=True, concurrency={"limit": 4})
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    load = start_load(front.port, concurrency=8)
    wait_for(lambda: servers(viaductd)[server.address]["requests"] > 500, "requests are served")
    body = b"".join(http.pattern(100_001))
    assert http.request(front.port, "/digest", "POST", body=body).text == digest(100_001)
    assert_clean(load.finish())


def test_sdk_servers_multiplex(viaductd, stage, directory, stopping, logs, start_front, start_load):
    """One connection carries all, so that more requests wait at the server than it has connections."""
    path = directory / "sdk.sock"
    words = [*command("sdk", stage), "--fastcgi", f"unix:{path}"]
    server = Process(words, directory / "sdk.log", env={**os.environ, "MARKS": str(directory), "VIADUCT_LIMIT": "64"})
    stopping.append(server)
    wait_for(path.exists, "the socket")
    path.chmod(0o666)
    connect(viaductd, f"unix:{path}", multiplex="auto")
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    assert http.request(front.port, "/hello").text == "hello\n"
    load = start_load(front.port, concurrency=32)
    wait_for(lambda: servers(viaductd)[f"unix:{path}"]["requests"] > 2000, "requests are served")
    wait_for(lambda: connections(path) == 1, "one connection")
    assert_clean(load.finish())


def connections(path) -> int:
    """Accepted by whoever listens there."""
    listed = [line.split() for line in open("/proc/net/unix").read().splitlines()]
    # Num RefCount Protocol Flags Type State Inode Path; flag 10000: listens, state 03: connected.
    return sum(1 for line in listed if line[-1] == str(path) and line[3] == "00000000" and line[5] == "03")
