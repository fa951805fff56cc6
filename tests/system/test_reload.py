"""Reloads: nothing lost under load, nothing changed by a bad configuration."""

import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from harness import fastcgi, http
from harness.load import assert_clean
from harness.process import pause, wait_for
from harness.tool import Tool


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["nginx", "nginx-close"])
def test_fifty_reloads_lose_no_request(viaductd, start_front, start_load, variant):
    """Alternately a changed environment and a changed binary."""
    app = viaductd.app("sdk", workers=2)
    binaries = []
    for number in range(2):
        copy = viaductd.directory / f"probe-{number}"
        shutil.copy2(app["command"][0], copy)
        binaries.append(copy)
    current = viaductd.directory / "current"
    current.symlink_to(binaries[0])
    app["command"] = [str(current)]
    viaductd.start()
    front = start_front(variant, viaductd.socket)
    load = start_load(front.port, concurrency=64, mix="both", least=1000)
    for number in range(50):
        if number % 2:
            app["env"]["NUMBER"] = str(number)
        else:
            new = viaductd.directory / "new"
            new.symlink_to(binaries[number // 2 % 2 - 1])
            new.replace(current)
        viaductd.reload()
        assert load.running()
    time.sleep(0.5)
    assert_clean(load.finish())
    wait_for(lambda: len(viaductd.bridges()) == 1, "the old bridges are gone", 60)
    assert len(viaductd.workers()) == 2


def test_unchanged_app_keeps_its_workers(viaductd):
    viaductd.app("sdk", workers=2)
    viaductd.start()
    before = viaductd.workers()
    line = viaductd.reload()
    assert "web kept" in line
    assert viaductd.workers() == before
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"


def test_report_names_what_changed(viaductd):
    app = viaductd.app("sdk")
    viaductd.app("libfcgi", name="other")
    viaductd.start()
    before, kept = viaductd.workers(), viaductd.workers("other")
    assert before and kept
    app["env"]["STAGE"] = "next"
    line = viaductd.reload()
    assert "web restarted (env changed)" in line
    assert "other kept" in line
    wait_for(lambda: not set(viaductd.workers()) & set(before), "the old worker is gone")
    assert viaductd.workers("other") == kept


def test_kept_is_not_all_that_is_said_of_what_changed(viaductd):
    app = viaductd.app("sdk")
    viaductd.start()
    before = viaductd.workers()
    more = f"unix:{viaductd.directory / 'more.sock'}"
    app["timeouts"] = {"request": "17s"}
    viaductd.settings["log"] = {"level": "debug"}
    viaductd.settings["bridge"] = {"threads": 2}
    viaductd.settings["listeners"][0]["mode"] = "0600"
    viaductd.settings["listeners"].append({"address": more, "protocol": "scgi", "app": "web"})
    line = viaductd.reload()
    assert "generation 2: web kept; ready in " in line
    assert line.endswith(
        f"; also changed: web (timeouts), listener unix:{viaductd.socket} (mode), "
        f"listener {more} added, bridge (threads), log (level)"
    )
    assert viaductd.workers() == before
    os.unlink(viaductd.socket)
    line = viaductd.reload()
    assert line.endswith(f"; also changed: listener unix:{viaductd.socket} opened anew")


def test_app_added_and_removed(viaductd):
    viaductd.app("sdk")
    viaductd.start()
    viaductd.app("libfcgi", name="blog")
    viaductd.settings["listeners"][1]["app"] = "blog"
    assert "blog added" in viaductd.reload()
    wait_for(lambda: len(viaductd.workers("blog")) == 1, "blog runs")
    words = list(viaductd.settings["apps"]["blog"]["command"])
    del viaductd.settings["apps"]["blog"]
    viaductd.settings["listeners"][1]["app"] = "web"
    viaductd.reload()
    viaductd.settings["apps"]["blog"] = {"command": words}
    wait_for(lambda: not viaductd.workers("blog"), "blog is gone")


def test_bad_configuration_changes_nothing(viaductd):
    app = viaductd.app("sdk")
    viaductd.start()
    before = viaductd.workers()
    app["worker"] = 3
    viaductd.write()
    viaductd.process.send(signal.SIGHUP)
    viaductd.logged("apps.web.worker: unknown key")
    assert viaductd.workers() == before
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"


def test_app_that_fails_to_start_does_not_replace_the_old(viaductd):
    app = viaductd.app("sdk")
    viaductd.start()
    app["timeouts"] = {"start": "500ms"}
    app["command"] = ["/nonexistent/program"]
    viaductd.write()
    viaductd.process.send(signal.SIGHUP)
    viaductd.logged("/nonexistent/program")
    for _ in range(5):
        assert fastcgi.request(viaductd.socket, "/hello").status in (200, 503)


def test_limit_of_descriptors_is_the_largest_that_a_generation_needs(viaductd):
    """A bridge of the former settings may have to be started again beside, or after, a candidate with
    smaller ones."""

    def limit(pid: int) -> int:
        text = Path(f"/proc/{pid}/limits").read_text()
        return int(re.search(r"Max open files +(\d+)", text).group(1))

    def started() -> list[int]:
        return [int(pid) for pid in re.findall(r"bridge started generation=1 pid=(\d+)\b", viaductd.text())]

    app = viaductd.app("sdk")
    viaductd.settings["limits"] = {"connections": 1000}
    viaductd.start(prefix=["prlimit", "--nofile=256:8192"])
    before = limit(viaductd.pid)
    assert 3000 < before < 8192
    viaductd.settings["limits"] = {"connections": 20}
    command, app["command"] = app["command"], ["/bin/false"]
    viaductd.write()
    viaductd.process.send(signal.SIGHUP)
    viaductd.logged("reload failed")
    os.kill(started()[0], signal.SIGKILL)
    wait_for(lambda: len(started()) == 2, "another bridge")
    assert limit(viaductd.pid) == limit(started()[1]) == before
    app["command"] = command
    viaductd.reload()
    tool = Tool(viaductd)
    wait_for(lambda: len(tool.status()["generations"]) == 1, "the former bridge is gone")
    viaductd.reload()
    assert limit(viaductd.pid) < 1000, "nobody needs it any more"


def test_long_request_outlives_a_reload(viaductd, start_front):
    app = viaductd.app("sdk")
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    with http.Connection(front.port) as client:
        client.send_head("GET", "/sleep?ms=2000")
        old = viaductd.workers()
        time.sleep(0.2)
        app["env"]["STAGE"] = "next"
        viaductd.reload()
        assert int(http.request(front.port, "/pid").text) not in old
        assert client.read_reply().text == "slept\n"
    wait_for(lambda: not set(viaductd.workers()) & set(old), "the old worker ends after its request")


def test_request_that_loses_the_replaced_worker_is_answered_by_its_successor(viaductd, start_front):
    """The app is changed, so that only the old bridge knows the workers that it had."""
    app = viaductd.app("sdk", timeouts={"queue": "60s", "request": "120s", "stop": "120s"})
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    (old,) = viaductd.workers()
    pause(old)
    with http.Connection(front.port) as client:
        client.send_head("GET", "/hello")
        tool = Tool(viaductd)
        wait_for(lambda: tool.status()["apps"][0]["active"] == 1, "the request is at its worker")
        app["env"]["STAGE"] = "next"
        viaductd.reload()
        os.kill(old, signal.SIGKILL)
        assert client.read_reply().text == "hello\n"
    wait_for(lambda: len(viaductd.workers()) == 1, "the old workers are gone")


def test_two_bridges_share_a_plain_worker(viaductd):
    """It serves one connection at a time: neither bridge may keep one while the other has requests."""
    viaductd.app("libfcgi")
    viaductd.start()
    with fastcgi.Client(viaductd.socket) as old:
        request = fastcgi.stream(fastcgi.PARAMS, 1, fastcgi.pairs(fastcgi.variables("GET", "/hello")))
        old.send(fastcgi.begin(1) + request[:20])
        wait_for(lambda: Tool(viaductd).status()["connections"] == 1, "it is accepted")
        assert "web kept" in viaductd.reload()
        assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"  # by the new one
        old.send(request[20:] + fastcgi.stream(fastcgi.STDIN, 1, b""))
        assert old.read_answers(1)[1].body == b"hello\n"
    wait_for(lambda: len(viaductd.bridges()) == 1, "the old bridge is gone")


def test_bridge_that_prepares_does_not_hold_a_plain_worker(viaductd):
    viaductd.app("libfcgi")
    viaductd.start()
    gate = viaductd.marks / "go"
    command = viaductd.app("sdk", name="slow", timeouts={"start": "120s"})["command"]
    wait = f'while [ ! -e {gate} ]; do sleep 0.05; done; exec "$0"'
    viaductd.settings["apps"]["slow"]["command"] = ["/bin/sh", "-c", wait, *command]
    viaductd.settings["listeners"][1]["app"] = "slow"
    viaductd.write()
    reload = Tool(viaductd).start("reload")
    wait_for(lambda: len(viaductd.bridges()) == 2, "the next bridge has started")
    for _ in range(50):
        # The connection of a request with a body is never kept, which lets the next bridge's in.
        assert fastcgi.request(viaductd.socket, "/digest", method="POST", body=b"x").status == 200
        assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"
        time.sleep(0.01)
    gate.touch()
    assert "slow added" in reload.communicate(timeout=60)[0]


def test_listener_added_and_dropped(viaductd):
    viaductd.app("sdk")
    viaductd.start()
    path = str(viaductd.directory / "more.sock")
    viaductd.settings["listeners"].append(
        {"protocol": "scgi", "address": f"unix:{path}", "mode": "0666", "app": "web"}
    )
    viaductd.reload()
    assert os.path.exists(path)
    viaductd.settings["listeners"].pop()
    viaductd.reload()
    wait_for(lambda: not os.path.exists(path), "the dropped socket is unlinked")
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"


def test_several_hups_coalesce(viaductd):
    viaductd.app("sdk")
    viaductd.start()
    for _ in range(20):
        viaductd.process.send(signal.SIGHUP)
    wait_for(lambda: viaductd.generations() >= 1, "a reload is reported")
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"
    viaductd.reload()
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"
    wait_for(lambda: len(viaductd.bridges()) == 1, "one bridge is left", 60)
