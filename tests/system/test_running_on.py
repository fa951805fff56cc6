"""Workers that end a request and go on with it, as fastcgi_finish_request() does: the next request does
not wait behind them while another worker is idle."""

import re

import pytest

from harness import http
from harness.ports import reserve_port
from harness.process import wait_for
from harness.tool import Tool

WORKERS = 3
# Milliseconds: one line a second of each kind is written.
LONG = 1100


@pytest.fixture(params=[1, 2], ids=["one-thread", "two-threads"])
def port(request, viaductd):
    """The port of an HTTP listener. With several threads no connection to a worker is kept."""
    number = reserve_port()
    viaductd.app("libfcgi", workers=WORKERS)
    viaductd.settings["bridge"] = {"threads": request.param}
    viaductd.settings["listeners"] = [
        {"protocol": "http", "address": f"tcp:127.0.0.1:{number}", "app": "web"}
    ]
    viaductd.start()
    wait_for(lambda: len(viaductd.workers()) == WORKERS, "all workers")
    return number


def begin_to_run_on(viaductd, port: int, mark: str) -> str:
    running = http.request(port, f"/finish?mark={mark}").text
    assert viaductd.mark(mark) == running
    return running


def test_requests_go_to_the_others(viaductd, port):
    busy = {begin_to_run_on(viaductd, port, f"m{number}") for number in range(WORKERS - 1)}
    assert len(busy) == WORKERS - 1
    served = [http.request(port, "/pid") for _ in range(8)]
    assert {reply.status for reply in served} == {200}
    assert not busy & {reply.text for reply in served}
    for number in range(WORKERS - 1):
        (viaductd.marks / f"m{number}.end").write_text("")
    # They have slots again.
    wait_for(lambda: http.request(port, "/pid").text in busy, "a request at one that was busy")
    assert Tool(viaductd).status()["apps"][0]["failed"] == 0


def test_when_all_run_on_a_request_waits_for_the_first_that_ends(viaductd, port):
    running = [begin_to_run_on(viaductd, port, f"m{number}") for number in range(WORKERS)]
    assert len(set(running)) == WORKERS
    with http.Connection(port) as client:
        client.send_head("GET", "/pid")
        viaductd.logged("the program has not read it")
        (viaductd.marks / "m1.end").write_text("")
        reply = client.read_reply()
        assert (reply.status, reply.text) == (200, running[1])
    for number in range(WORKERS):
        (viaductd.marks / f"m{number}.end").write_text("")


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_worker_is_at_is_run_once(viaductd, threads):
    """php-cgi reads its requests record by record, and leaves the last one while the script runs."""
    number = reserve_port()
    viaductd.app("php", workers=WORKERS)
    viaductd.settings["bridge"] = {"threads": threads}
    viaductd.settings["listeners"] = [
        {"protocol": "http", "address": f"tcp:127.0.0.1:{number}", "app": "web"}
    ]
    viaductd.start()
    runs = []
    for round in range(2 * WORKERS):
        reply = http.request(number, f"/sleep?ms={LONG}&mark=run{round}")
        assert (reply.status, reply.text) == (200, "slept\n")
        runs.append(viaductd.mark(f"run{round}"))
    # A worker that is not scheduled for 100 ms has its request taken back, and runs it in vain.
    moves = [line for line in viaductd.lines() if "the program has not read it" in line]
    for round, run in enumerate(runs):
        moved = any(re.search(rf"mark=run{round}\b", line) for line in moves)
        assert run == "begun\n" or moved, (round, runs, moves)
