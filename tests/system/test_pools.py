"""Pools: workers that come with the load, go when they are idle, and are replaced in time."""

import os
import signal
import threading

from harness import fastcgi
from harness.load import assert_clean
from harness.process import wait_for

HELLO = b"hello\n"


def requests_at_once(address: str, count: int, target: str) -> list[threading.Thread]:
    """So many requests, answered 200 or the thread's `failure` says why not."""

    def run() -> None:
        thread = threading.current_thread()
        try:
            status = fastcgi.request(address, target).status
            thread.failure = None if status == 200 else status
        except Exception as error:
            thread.failure = error

    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_on_demand_the_first_request_starts_a_worker_and_waits(viaductd):
    viaductd.app("sdk", workers={"min": 0, "max": 2, "idle": "1s"})
    viaductd.start()
    assert viaductd.workers() == []
    for _ in range(2):
        assert fastcgi.request(viaductd.socket, "/hello").body == HELLO
        assert len(viaductd.workers()) == 1
        wait_for(lambda: viaductd.workers() == [], "the idle worker ends")
    viaductd.logged("web: idle")


def test_grows_with_the_load_and_shrinks_when_idle(viaductd):
    viaductd.app(
        "sdk",
        workers={"min": 1, "max": 4, "idle": "1s"},
        concurrency={"model": "threads", "limit": 1},
        timeouts={"queue": "60s"},
    )
    viaductd.start()
    assert len(viaductd.workers()) == 1
    threads = requests_at_once(viaductd.socket, 12, "/sleep?ms=1000")
    wait_for(lambda: len(viaductd.workers()) == 4, "as many workers as allowed")
    for thread in threads:
        thread.join(60)
        assert thread.failure is None
    wait_for(lambda: len(viaductd.workers()) == 1, "one worker is left")
    assert fastcgi.request(viaductd.socket, "/hello").body == HELLO


def test_shrinking_lets_requests_end(viaductd):
    viaductd.app(
        "sdk",
        workers={"min": 1, "max": 3, "idle": "1s"},
        concurrency={"model": "threads", "limit": 1},
    )
    viaductd.start()
    short = requests_at_once(viaductd.socket, 8, "/sleep?ms=200")
    wait_for(lambda: len(viaductd.workers()) == 3, "three workers")
    for thread in short:
        thread.join(60)
        assert thread.failure is None
    long = requests_at_once(viaductd.socket, 1, "/sleep?ms=6000")
    viaductd.logged("web: shrinks")
    wait_for(lambda: len(viaductd.workers()) == 1 or not long[0].is_alive(), "the others end")
    long[0].join(60)
    assert long[0].failure is None


def test_reload_of_workers_alone_keeps_them(viaductd):
    app = viaductd.app("sdk", workers=1)
    viaductd.start()
    first = viaductd.workers()
    app["workers"] = {"min": 2, "max": 4}
    assert "web kept" in viaductd.reload()
    wait_for(lambda: len(viaductd.workers()) == 2, "a second worker")
    assert first[0] in viaductd.workers()
    app["workers"] = 1
    assert "web kept" in viaductd.reload()
    wait_for(lambda: viaductd.workers() == first, "the first one alone")


def test_recycling_loses_no_request(viaductd, start_front, start_load):
    viaductd.app("sdk", workers=2, limits={"requests": 50})
    viaductd.start()
    first = viaductd.workers()
    front = start_front("nginx", viaductd.socket)
    load = start_load(front.port, concurrency=16, mix="both", least=600)
    wait_for(lambda: viaductd.text().count("is recycled: limits.requests") >= 6, "replacements")
    assert_clean(load.finish())
    assert not set(first) & set(viaductd.workers())


def test_recycling_by_age_and_memory(viaductd):
    app = viaductd.app("sdk", workers=1, limits={"age": "1s"})
    viaductd.start()
    viaductd.logged("web: worker is recycled: limits.age")
    app["limits"] = {"memory": "64KiB"}
    viaductd.reload()
    viaductd.logged("web: worker is recycled: limits.memory")
    assert fastcgi.request(viaductd.socket, "/hello").body == HELLO


def test_crash_loop_is_answered_503_and_heals(viaductd):
    """Workers that crash time after time are started again more and more slowly."""
    viaductd.app("sdk", workers=1, poison={"deaths": 0})
    viaductd.start()

    def crash():
        answer = fastcgi.request(viaductd.socket, "/crash", method="POST", body=b"x")
        assert answer.status in (502, 503)
        return answer if answer.status == 503 else None

    refused = wait_for(crash, "the app is in back-off")
    assert int(refused.head["retry-after"]) >= 1
    viaductd.logged("web: failing")
    wait_for(
        lambda: fastcgi.request(viaductd.socket, "/hello").status == 200, "it serves by itself"
    )


def grown(viaductd, idle: str) -> list[threading.Thread]:
    """A running daemon whose pool has grown to three workers, each with a request."""
    viaductd.app(
        "sdk",
        workers={"min": 1, "max": 3, "idle": idle},
        concurrency={"model": "threads", "limit": 1},
        timeouts={"stop": "1s"},  # nobody waits for the answers
    )
    viaductd.start()
    threads = requests_at_once(viaductd.socket, 3, "/sleep?ms=20000")
    wait_for(lambda: len(viaductd.workers()) == 3, "three workers")
    return threads


def test_load_of_a_killed_bridge_is_forgotten(viaductd):
    grown(viaductd, idle="1s")
    os.kill(viaductd.bridge(), signal.SIGKILL)
    wait_for(lambda: len(viaductd.workers()) == 1, "one worker is left")
    assert fastcgi.request(viaductd.socket, "/hello").body == HELLO


def test_restarted_app_starts_as_large_as_it_was(viaductd):
    grown(viaductd, idle="60s")
    old = viaductd.workers()
    viaductd.settings["apps"]["web"]["env"]["NUMBER"] = "1"
    assert "web restarted (env changed)" in viaductd.reload()
    assert len(set(viaductd.workers()) - set(old)) == 3
