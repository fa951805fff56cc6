"""PHP-FPM under `connect` with connections that are kept: a child serves one of them, idle or not."""

import pytest

from harness import http
from harness.ports import reserve_port
from harness.process import wait_for
from harness.servers import PhpFpm, connect
from harness.tool import Tool

CHILDREN = 2


@pytest.fixture(params=["unix", "tcp"])
def where(request):
    return request.param


@pytest.fixture
def fpm(where, viaductd, stage, directory, stopping, logs):
    server = PhpFpm(stage, directory, viaductd.marks, children=CHILDREN, where=where)
    stopping.append(server)
    logs.append(server.log)
    return server


@pytest.fixture
def start(viaductd, fpm):
    """start(**keys): the port of an HTTP listener."""

    def started(**keys) -> int:
        port = reserve_port()
        viaductd.settings["listeners"] = [{"protocol": "http", "address": f"tcp:127.0.0.1:{port}", "app": "web"}]
        connect(viaductd, fpm.address, keepalive=True, **fpm.keys, **keys)
        viaductd.start()
        return port

    return started


def keep_all(port: int) -> None:
    """Every child has a connection that rests: they answer in turn."""

    def kept() -> bool:
        clients = [http.Connection(port) for _ in range(CHILDREN)]
        for client in clients:
            client.send_head("GET", "/sleep?ms=100", close=True)
        for client in clients:
            assert client.read_reply().text == "slept\n"
            client.close()
        return len({http.request(port, "/pid").text for _ in range(CHILDREN)}) == CHILDREN

    wait_for(kept, "connections to all children")


def test_requests_do_not_wait_behind_a_script_that_runs_on(viaductd, where, start):
    """fastcgi_finish_request() ends the response, while the child has its script to end."""
    port = start(concurrency={"limit": CHILDREN})
    keep_all(port)
    running = http.request(port, "/finish?mark=script").text
    assert viaductd.mark("script") == running
    # Over TCP nobody sees whether the child has read a request: the connection that rests longer is right once.
    for _ in range(4 if where == "unix" else 1):
        reply = http.request(port, "/pid")
        assert (reply.status, reply.text != running) == (200, True)
    (viaductd.marks / "script.end").write_text("")


def test_a_request_that_a_child_works_on_is_run_once(viaductd, start):
    port = start(concurrency={"limit": CHILDREN})
    keep_all(port)
    # A child that is not scheduled for 100 ms has a request taken back: one round may be unlucky.
    runs = []
    for number in range(2 * CHILDREN):
        assert http.request(port, f"/sleep?ms=1000&mark=run{number}").text == "slept\n"
        runs.append(viaductd.mark(f"run{number}"))
    assert runs.count("begun\n") > CHILDREN, runs


def test_more_connections_than_children_stall_nobody(viaductd, start, start_load):
    port = start()
    assert "keepalive: up to 32 connections are kept" in viaductd.check().stderr
    load = start_load(port, concurrency=4 * CHILDREN, most=2000)
    report = load.wait(25)
    assert (report["requests"], report["failed"]) == (2000, 0), report
    # All of them rest again, and hold every child, when one comes that has to have a new one.
    keep_all(port)
    assert http.request(port, "/digest", "POST", body=b"x").text.startswith("1 ")
    assert Tool(viaductd).status()["apps"][0]["failed"] == 0
