"""kill -9 under load: of a worker, the bridge, the master."""

import os
import signal
import time
from pathlib import Path

import pytest

from harness import fastcgi, http
from harness.process import alive, descendants, wait_for
from harness.tool import Tool


@pytest.fixture
def site(viaductd, start_front):
    def start(**keys):
        viaductd.app("sdk", **{"workers": 3, "concurrency": {"model": "fibers", "limit": 100}, **keys})
        viaductd.start()
        return start_front("nginx", viaductd.socket)

    return start


def answers(load_report) -> int:
    return load_report["requests"] - load_report["failed"]


def test_killed_worker_fails_only_what_was_in_it(site, viaductd, start_load):
    front = site()
    load = start_load(front.port, concurrency=32, mix="post", timeout=20, least=400)
    kills = 0
    for _ in range(5):
        wait_for(lambda: len(viaductd.workers()) == 3, "three workers run")
        time.sleep(0.3)  # some load between the kills
        os.kill(viaductd.workers()[kills % 3], signal.SIGKILL)
        kills += 1
    wait_for(lambda: len(viaductd.workers()) == 3, "the last one is replaced")
    time.sleep(0.3)
    report = load.finish()
    assert answers(report) > 200
    # POSTs are not repeated: at most those that were in the worker that died.
    assert report["failed"] <= kills * 32
    assert all("status: 502" in failure for failure in report["failures"]), report["failures"]


def test_killed_worker_loses_no_idempotent_request(site, viaductd, start_load):
    front = site()
    load = start_load(front.port, concurrency=32, timeout=20, least=200)
    for number in range(5):
        wait_for(lambda: len(viaductd.workers()) == 3, "three workers run")
        time.sleep(0.3)
        os.kill(viaductd.workers()[number % 3], signal.SIGKILL)
    report = load.finish()
    assert (report["failed"], report["failures"]) == (0, [])


def test_killed_only_worker_loses_no_idempotent_request(site, viaductd, start_load):
    """The requests in it wait for its successor, which is started at once the first time."""
    front = site(workers=1)
    load = start_load(front.port, concurrency=16, timeout=20)
    time.sleep(0.5)
    old = viaductd.workers()
    os.kill(old[0], signal.SIGKILL)
    wait_for(lambda: viaductd.workers() and viaductd.workers() != old, "it is replaced")
    time.sleep(0.5)
    report = load.finish()
    assert (report["failed"], report["failures"]) == (0, [])


def kill_bridge(viaductd, front) -> float:
    """Kills the bridge; the seconds until the site answers again."""
    old = viaductd.bridge()
    killed = time.monotonic()
    os.kill(old, signal.SIGKILL)
    # nginx may answer 502 meanwhile; a request of our own shows when it is over.
    wait_for(
        lambda: viaductd.bridges() and viaductd.bridges() != [old]
        and http.request(front.port, "/hello").status == 200,
        "the site is back",
    )
    return time.monotonic() - killed


def test_killed_bridge_is_back_within_a_second(site, viaductd, start_load):
    """Three attempts: what else the machine does may take that second, what viaductd does would show
    in each of them."""
    front = site()
    workers = viaductd.workers()
    attempts = []
    while not attempts or (attempts[-1] >= 1 and len(attempts) < 3):
        load = start_load(front.port, concurrency=32, mix="both", timeout=20, least=200)
        time.sleep(0.5)
        killed = time.monotonic() - load.began
        attempts.append(kill_bridge(viaductd, front))
        time.sleep(0.7)
        report = load.finish()
        failures = report["failures"]
        assert answers(report) > 0
        assert all("hung" not in failure for failure in failures), failures
        late = [f for f in failures if float(f.split()[0]) > killed + max(attempts[-1], 1) + 0.1]
        assert not late, late
        assert viaductd.workers() == workers, "workers survive their bridge"
        assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"
    assert attempts[-1] < 1, attempts
    assert report["failed"] <= 32 * 40  # while there is no bridge nginx refuses quickly


def test_killed_master_leaves_nothing_running(site, viaductd, start_load):
    front = site()
    load = start_load(front.port, concurrency=16, mix="both", timeout=20)
    time.sleep(0.3)
    pids = descendants(viaductd.pid)
    assert len(pids) >= 4
    os.kill(viaductd.pid, signal.SIGKILL)
    viaductd.process.wait()
    wait_for(lambda: not [pid for pid in pids if alive(pid)], "no child is left", 5)
    report = load.finish()
    assert all("hung" not in failure for failure in report["failures"]), report["failures"]


def test_killed_master_can_be_started_again(site, viaductd):
    site()
    os.kill(viaductd.pid, signal.SIGKILL)
    viaductd.process.wait()
    viaductd.start()
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_what_a_worker_leaves_ends_with_it(viaductd, end):
    """By its cgroup, `timeouts.stop` after it; where none is delegated, at once."""
    app = viaductd.app("sdk", workers=1, timeouts={"stop": "1s"})
    left = viaductd.marks / "left"
    leave = f'setsid sleep 1000 >/dev/null 2>&1 & echo $! >"{left}-$$"; exec "$0" "$@"'
    app["command"] = ["/bin/sh", "-c", leave, *app["command"]]

    def orphan_of(pid: int) -> int:
        file = Path(f"{left}-{pid}")
        return int(wait_for(lambda: file.exists() and file.read_text(), "its pid"))

    viaductd.start()
    (worker,) = viaductd.workers()
    orphan = orphan_of(worker)
    assert alive(orphan)
    if end == "kill":
        os.kill(worker, signal.SIGKILL)
    else:
        Tool(viaductd).done("restart", "web")
    wait_for(lambda: not alive(orphan), "the end of what the worker has left")
    (successor,) = wait_for(lambda: set(viaductd.workers()) - {worker}, "another worker")
    assert alive(orphan_of(successor)), "of the worker that serves"
