"""The control socket and the viaduct command, with a real daemon and real applications."""

import grp
import os
import re
import signal
import socket
import stat
import subprocess
import threading

import pytest

from harness import fastcgi
from harness.load import assert_clean
from harness.paths import ROOT
from harness.process import PATIENCE, Adopted, adopt_orphans, alive, pause, wait_for
from harness.tool import Tool

NOBODY = 65534


@pytest.fixture
def tool(viaductd):
    return Tool(viaductd)


@pytest.fixture
def running(viaductd):
    """The daemon with two workers of the app `web`."""
    viaductd.app("sdk", workers=2)
    return viaductd.start()


class Request:
    """A request on a connection of its own that nobody waits for yet."""

    def __init__(self, daemon, target):
        self.client = fastcgi.Client(daemon.socket)
        self.client.send(
            fastcgi.begin(1)
            + fastcgi.stream(4, 1, fastcgi.pairs(fastcgi.variables("GET", target, REQUEST_ID="id-7")))
            + fastcgi.stream(5, 1, b"")
        )

    def answer(self):
        return self.client.read_answers(1)[1]


# ---- each command


def test_status(running, tool):
    fastcgi.request(running.socket, "/hello")
    fastcgi.request(running.socket, "/hello")
    wait_for(lambda: sum(w["requests"] for w in tool.status()["apps"][0]["workers"]) == 2, "requests are counted")
    status = tool.status()
    assert status["pid"] == running.pid
    assert status["state"] == "serving"
    assert status["file"] == str(running.file)
    assert [g["state"] for g in status["generations"]] == ["active"]
    assert status["generations"][0]["bridge_pid"] == running.bridge()
    assert [listener["protocol"] for listener in status["listeners"]] == ["fastcgi", "scgi"]
    (app,) = status["apps"]
    assert (app["name"], app["state"], app["requests"], app["failed"]) == ("web", "serving", 2, 0)
    assert sorted(w["pid"] for w in app["workers"]) == sorted(running.workers())
    assert all(w["state"] == "ready" and w["memory"] > 0 for w in app["workers"])
    text = tool.done("status")
    assert re.search(rf"viaductd \S+ serving, pid {running.pid}, up ", text)
    assert re.search(r"^web +serving +2/2 +0 +0 +2 ", text, re.M)
    for worker in app["workers"]:
        assert re.search(rf"^{worker['name']} +{worker['pid']} +ready ", text, re.M)


def test_status_says_why_an_app_fails(viaductd, tool):
    viaductd.app("sdk")
    viaductd.command("/bin/false", name="bad")
    viaductd.settings["listeners"][1]["app"] = "bad"
    viaductd.start()

    def failing() -> str:  # and not, for a moment, starting
        text = tool.done("status")
        return text if re.search(r"^bad +failing +0/1 ", text, re.M) else ""

    text = wait_for(failing, "bad is failing")
    assert "bad: last failure: bad/1: exited with status 1 before it was ready" in text


def test_reload_reports_what_it_did(running, tool):
    before = running.workers()
    assert re.fullmatch(r"generation 2: web kept; ready in \d+\.\d s\n", tool.done("reload"))
    assert running.workers() == before
    running.settings["apps"]["web"]["env"]["STAGE"] = "next"
    running.write()
    assert "web restarted (env changed)" in tool.done("reload")
    assert int(fastcgi.request(running.socket, "/pid").body) not in before
    assert "web restarted (env changed)" in tool.done("status")


def test_broken_configuration_is_listed_and_changes_nothing(running, tool):
    before = running.workers()
    running.settings["apps"]["web"]["worker"] = 3
    running.write()
    result = tool.run("reload")
    assert result.status == 78
    assert re.search(rf"^{running.file}:\d+:\d+: apps\.web\.worker: unknown key", result.err, re.M)
    assert "viaduct: reload failed: the configuration has errors; generation 1 goes on" in result.err
    assert result.out == ""
    answer = tool.run("--json", "reload")
    assert answer.status == 78
    assert re.match(rf"{running.file}:\d+:\d+: ", answer.json["errors"][0])
    assert running.workers() == before
    assert fastcgi.request(running.socket, "/hello").body == b"hello\n"


def test_reload_that_does_not_become_ready_is_refused(running, tool):
    app = running.settings["apps"]["web"]
    app["command"] = ["/bin/false"]
    running.write()
    result = tool.run("reload")
    assert result.status == 1
    assert "a worker did not become ready (web/" in result.err
    assert "generation 1 goes on" in result.err
    assert fastcgi.request(running.socket, "/hello").body == b"hello\n"
    assert tool.status()["last_reload"].startswith("reload failed: web: ")


def test_warnings_are_shown(running, tool):
    running.settings["runtime_dir"] = str(running.directory / "elsewhere")
    running.write()
    result = tool.run("reload")
    assert result.status == 0
    assert re.search(r"^warning: \S+:\d+:\d+: runtime_dir: a reload cannot change it", result.err, re.M)


def test_commands_that_come_together_are_all_answered(running, tool):
    processes = [tool.start(*words) for words in [("reload",), ("restart", "web")] * 5]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "; ready in" in out
    wait_for(lambda: len(running.bridges()) == 1, "one bridge is left", 60)


@pytest.mark.slow
def test_restart_under_load_loses_nothing(running, tool, start_front, start_load):
    front = start_front("nginx", running.socket)
    load = start_load(front.port, concurrency=32, mix="both", least=100)
    seen = set(running.workers())
    for _ in range(10):
        assert "web restarted" in tool.done("restart", "web")
        current = int(fastcgi.request(running.socket, "/pid").body)
        assert current not in seen
        seen |= set(running.workers())
        assert load.running()
    tool.done("scale", "web", "4")
    tool.done("scale", "web", "1")
    assert_clean(load.finish())
    wait_for(lambda: len(running.workers()) == 1, "one worker is left", 60)


def test_restart_leaves_other_apps_alone(running, tool):
    running.app("libfcgi", name="blog")
    running.settings["listeners"][1]["app"] = "blog"
    running.write()
    assert "blog added" in tool.done("reload")
    blog = running.workers("blog")
    assert re.search(r"web restarted, blog kept;", tool.done("restart", "web"))
    assert running.workers("blog") == blog


def test_scale_until_the_next_reload(running, tool):
    assert tool.done("scale", "web", "4") == "web: 4 workers\n"
    assert len(running.workers()) == 4
    assert tool.status()["apps"][0]["wanted"] == 4
    assert tool.done("scale", "web", "1") == "web: 1 worker\n"
    wait_for(lambda: len(running.workers()) == 1, "the others have ended")
    tool.done("reload")
    wait_for(lambda: len(running.workers()) == 2, "the configuration holds again")


def test_scale_of_a_range_moves_its_lower_end(viaductd, tool):
    viaductd.app("sdk", workers={"min": 0, "max": 3, "idle": "60s"})
    viaductd.start()
    assert tool.done("scale", "web", "2") == "web: at least 2 workers\n"
    assert len(viaductd.workers()) == 2
    assert tool.done("scale", "web", "9") == "web: 3 workers\n"
    # What is there stays until it has not been needed for `idle`.
    assert tool.done("scale", "web", "0") == "web: at least 0 workers\n"
    assert len(viaductd.workers()) == 3


def test_no_workers_only_where_the_app_may_have_none(running, tool):
    result = tool.run("scale", "web", "0")
    assert result.status == 1
    assert "web: expected a number of workers from 1 to 1024" in result.err


def test_scale_of_an_app_that_cannot_start_is_refused(viaductd, tool):
    viaductd.command("/bin/false")
    viaductd.start()
    result = tool.run("scale", "web", "3")
    assert result.status == 1
    assert "did not become ready (web/" in result.err


def test_reopen(viaductd, tool):
    log = viaductd.directory / "own.log"
    viaductd.settings["log"] = {"to": str(log)}
    viaductd.app("sdk")
    viaductd.start()
    log.rename(viaductd.directory / "old.log")
    assert tool.done("reopen") == "logs reopened\n"
    assert log.exists()
    log.unlink()
    log.mkdir()
    result = tool.run("reopen")
    assert result.status == 1
    assert str(log) in result.err
    log.rmdir()


def test_upgrade(running, tool):
    adopt_orphans()
    old = running.process
    result = tool.run("upgrade")
    assert result.status == 0
    running.process = Adopted(running.successor(), running.log)
    assert f"viaductd {running.pid} serves" in result.out
    assert old.wait() == 0
    # The socket has never been away, and the new one answers on it.
    wait_for(lambda: tool.status()["pid"] == running.pid, "the new daemon answers")
    assert fastcgi.request(running.socket, "/hello").body == b"hello\n"


def test_upgrade_that_fails_is_refused(running, tool):
    good = running.file.read_text()
    running.file.write_text(good.replace("workers:", "worker:"))
    result = tool.run("upgrade")
    assert result.status == 1
    assert "upgrade failed: the new viaductd exited with status 78; this one goes on" in result.err
    assert tool.status()["pid"] == running.pid
    running.file.write_text(good)


def test_drain_serves_what_is_open(running, tool):
    request = Request(running, "/sleep?ms=700")
    wait_for(lambda: tool.status()["apps"][0]["active"] == 1, "the request is at its worker")
    workers = running.workers()
    assert tool.done("drain") == "stopped\n"
    assert not any(alive(pid) for pid in workers)
    assert request.answer().body == b"slept\n"
    assert running.process.wait() == 0
    assert not os.path.exists(tool.control)


def test_stop_does_not_wait_for_requests(running, tool):
    request = Request(running, "/sleep?ms=100000")
    wait_for(lambda: tool.status()["apps"][0]["active"] == 1, "the request is at its worker")
    assert tool.done("stop") == "stopped\n"
    assert running.process.wait() == 0


def test_status_while_draining_and_stop_after_drain(running, tool):
    request = Request(running, "/sleep?ms=100000")
    wait_for(lambda: tool.status()["apps"][0]["active"] == 1, "the request is at its worker")
    drain = tool.start("drain")
    wait_for(lambda: tool.status()["state"] == "stopping", "it stops")
    result = tool.run("reload")
    assert result.status == 1
    assert "the daemon stops" in result.err
    assert tool.done("stop") == "stopped\n"
    assert drain.communicate(timeout=30)[0] == "stopped\n"
    assert drain.returncode == 0
    assert running.process.wait() == 0


# ---- requests in flight


@pytest.mark.parametrize("threads", [1, 3])
def test_requests_in_flight(viaductd, tool, threads):
    viaductd.settings["bridge"] = {"threads": threads}
    viaductd.app("sdk", concurrency={"model": "threads", "limit": 1}, limits={"queue": 10})
    viaductd.start()
    assert tool.done("requests", "web") == "no requests in flight\n"
    first = Request(viaductd, "/generate?bytes=4000000&length=0")
    states = lambda: [r["state"] for b in tool.run("--json", "requests", "web").json["bridges"] for r in b["requests"]]
    wait_for(lambda: states() == ["streaming"], "the first is being answered")
    second = Request(viaductd, "/sleep?ms=1&x=\x1b[2J")
    wait_for(lambda: len(states()) == 2, "two requests")
    answer = tool.run("--json", "requests", "web").json
    assert answer["app"] == "web"
    assert answer["complete"] is True
    (bridge,) = answer["bridges"]
    assert (bridge["generation"], bridge["omitted"]) == (1, 0)
    entry = bridge["requests"][0]
    assert (entry["id"], entry["method"], entry["target"]) == ("id-7", "GET", "/generate?bytes=4000000&length=0")
    assert entry["worker_pid"] == viaductd.workers()[0]
    text = tool.done("requests", "web")
    assert re.search(rf"s  streaming +{viaductd.workers()[0]}  id-7  GET /generate", text)
    assert "\x1b" not in text
    assert len(first.answer().body) == 4000000
    assert second.answer().body == b"slept\n"
    wait_for(lambda: states() == [], "none is left")


@pytest.mark.parametrize("model", ["threads", "fibers"])
def test_stacks_of_requests_in_flight(viaductd, tool, model):
    viaductd.app("sdk", workers=1, concurrency={"model": model, "limit": 1}, limits={"queue": 10})
    viaductd.start()
    first = Request(viaductd, "/wait?mark=first")
    wait_for(lambda: tool.status()["apps"][0]["active"] == 1, "the request is at its worker")
    second = Request(viaductd, "/wait?mark=second")
    wait_for(lambda: tool.status()["apps"][0]["queued"] == 1, "another one waits")

    def listed():
        (bridge,) = tool.run("--json", "requests", "web", "--stacks").json["bridges"]
        return bridge["requests"]

    # A busy machine may take longer to put a stack into words than the worker is waited for.
    wait_for(lambda: "stack" in listed()[0], "a stack")
    working, waiting = listed()
    assert any("wait_for_stop" in frame for frame in working["stack"]), working
    assert waiting["no_stack"] == "no worker has it"
    assert "stack" not in tool.run("--json", "requests", "web").out
    text = tool.done("requests", "web", "--stacks")
    assert re.search(r"GET /wait\?mark=first\n    .*\n(    .*\n)*.*GET /wait\?mark=second\n    \(no stack: no worker has it\)\n", text)
    second.client.socket.close()
    first.client.socket.close()


def test_plain_workers_have_no_stacks(viaductd, tool):
    viaductd.app("libfcgi", workers=1)
    viaductd.start()
    request = Request(viaductd, "/sleep?ms=1000")
    wait_for(lambda: tool.status()["apps"][0]["active"] == 1, "the request is at its worker")
    assert "    (no stack: its worker cannot say)\n" in tool.done("requests", "web", "--stacks")
    assert request.answer().body == b"slept\n"


def test_bridge_that_hangs_makes_the_list_incomplete(running, tool):
    bridge = running.bridge()
    pause(bridge)
    try:
        answer = tool.run("--json", "requests", "web").json
        assert answer["complete"] is False
        assert [b["answered"] for b in answer["bridges"]] == [False]
        assert "not complete: the bridge of generation 1" in tool.done("requests", "web")
        assert tool.status()["state"] == "serving"
    finally:
        os.kill(bridge, signal.SIGCONT)
    wait_for(lambda: tool.run("--json", "requests", "web").json["complete"], "it answers again")


# ---- counters


def test_counters_stay_with_their_app_when_others_come_and_go(running, tool):
    fastcgi.request(running.socket, "/hello")
    web = running.settings["apps"].pop("web")
    running.app("libfcgi", name="first")
    running.settings["apps"]["web"] = web
    running.settings["listeners"][1]["app"] = "first"
    running.write()
    tool.done("reload")
    first, web = tool.status()["apps"]
    assert (first["name"], first["requests"]) == ("first", 0)
    assert (web["name"], web["requests"]) == ("web", 1)
    fastcgi.request(running.socket, "/hello")
    assert [app["requests"] for app in tool.status()["apps"]] == [0, 2]


def test_gauges_are_right_after_a_killed_bridge(running, tool):
    request = Request(running, "/sleep?ms=100000")
    wait_for(lambda: tool.status()["apps"][0]["active"] == 1, "the request is at its worker")
    bridge = running.bridge()
    os.kill(bridge, signal.SIGKILL)
    wait_for(lambda: tool.status()["generations"][0]["bridge_pid"] not in (0, bridge), "another bridge")
    status = tool.status()
    assert (status["apps"][0]["active"], status["connections"]) == (0, 0)
    assert status["apps"][0]["requests"] == 1


# ---- the tool


def test_nobody_there(viaductd, tool):
    result = tool.run("status")
    assert result.status == 69
    assert tool.control in result.err


def test_timeout(running, tool):
    pause(running.process.pid)
    try:
        result = tool.run("--timeout", "300ms", "status")
    finally:
        running.process.send(signal.SIGCONT)
    assert result.status == 75
    assert "no answer in time" in result.err


def test_unknown_app_is_refused(running, tool):
    for words in (("restart", "nope"), ("scale", "nope", "2"), ("requests", "nope")):
        result = tool.run(*words)
        assert result.status == 1
        assert 'there is no app "nope"' in result.err


# ---- who may do what


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
def test_who_may_do_what(viaductd, tool):
    viaductd.app("sdk")
    viaductd.settings["control"] = {"address": f"unix:{tool.control}", "mode": "0666", "group": "adm"}
    viaductd.start()
    adm = grp.getgrnam("adm").gr_gid
    info = os.stat(tool.control)
    assert (stat.S_IMODE(info.st_mode), info.st_gid) == (0o666, adm)
    stranger = {"user": NOBODY, "group": NOBODY}
    assert tool.run("status", **stranger).status == 0
    assert tool.run("requests", "web", **stranger).status == 0
    for words in (("reload",), ("restart", "web"), ("scale", "web", "2"), ("drain",), ("stop",), ("reopen",)):
        result = tool.run(*words, **stranger)
        assert result.status == 1
        assert "only root" in result.err
    assert viaductd.process.running()
    for member in ({"user": NOBODY, "group": adm}, {"user": NOBODY, "group": NOBODY, "groups": [adm]}):
        assert tool.run("reload", **member).status == 0
    assert re.search(rf"command reload uid={NOBODY} pid=\d+", viaductd.text())


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
def test_default_mode_keeps_strangers_out(running, tool):
    assert stat.S_IMODE(os.stat(tool.control).st_mode) == 0o660
    result = tool.run("status", user=NOBODY, group=NOBODY)
    assert result.status == 69
    assert "Permission denied" in result.err


# ---- peers that misbehave


def connect(tool):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(30)
    client.connect(tool.control)
    return client


def test_garbage_and_silence_disturb_nobody(running, tool):
    silent = [connect(tool) for _ in range(5)]
    for noise in (b"\x16\x03\x01" + os.urandom(500) + b"\r\n\r\n", b"x" * 100_000, b"GET / HTTP/1.1\r\n\r\n"):
        with connect(tool) as client:
            client.sendall(noise)
            assert re.match(rb"HTTP/1.1 4\d\d ", client.recv(65536))
        assert tool.status()["state"] == "serving"
    with connect(tool) as client:
        client.sendall(b"POST /v1/reload HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
    assert tool.status()["last_reload"] == ""
    for client in silent:
        client.close()


def test_too_many_connections(running, tool):
    held = [connect(tool) for _ in range(32)]
    for client in held:
        client.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
    result = tool.run("status")
    assert result.status == 1
    assert "too many connections" in result.err
    for client in held:
        client.close()
    wait_for(lambda: tool.run("status").status == 0, "there is room again")


def test_commands_in_many_threads(running, tool):
    failures = []

    def ask():
        for _ in range(20):
            result = tool.run("status")
            if result.status != 0:
                failures.append(result)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_second_daemon_on_the_same_socket_is_refused(running, tool):
    result = subprocess.run(
        [running.program, "-c", running.file], capture_output=True, text=True, timeout=PATIENCE
    )
    assert result.returncode == 71
    assert f"control: unix:{tool.control} is in use by pid {running.pid}" in result.stderr
    assert tool.status()["state"] == "serving"
