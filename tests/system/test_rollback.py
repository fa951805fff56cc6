"""New workers on probation, and canaries."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import fastcgi
from harness.load import assert_clean
from harness.paths import built
from harness.process import Adopted, adopt_orphans, alive, command_line, wait_for
from harness.tool import Tool


def status(viaductd) -> int:
    return fastcgi.request(viaductd.socket, "/hello").status


def ask_until(viaductd, condition, what) -> None:
    """Requests keep coming while `condition` is waited for."""

    def asked():
        status(viaductd)
        return condition()

    wait_for(asked, what)


def test_workers_that_fail_more_often_are_replaced_by_the_former(viaductd):
    app = viaductd.app("sdk", workers=2, probation="60s")
    viaductd.start()
    former = viaductd.workers()
    for _ in range(50):
        assert status(viaductd) == 200
    app["env"]["FAIL_ALL"] = "1"
    viaductd.reload()
    ask_until(viaductd, lambda: viaductd.generations() == 2, "it goes back")
    wait_for(lambda: status(viaductd) == 200, "the former workers serve")
    assert "web went back to its former workers" in viaductd.text()
    line = viaductd.logged("requests failed in generation 2, 0 of 50 before: going back")
    assert "web: " in line
    wait_for(lambda: sorted(viaductd.workers()) == sorted(former), "the new workers are gone")
    # What is wrong is still written in the file.
    shown = subprocess.run(
        [built("viaduct"), "--control", f"unix:{viaductd.settings['runtime_dir']}/control.sock",
         "--json", "status"],
        capture_output=True, text=True, check=True, timeout=30,
    )
    last = json.loads(shown.stdout)["last_reload"]
    assert "requests failed in generation 2" in last
    assert "the configuration of generation 1 is in force again" in last
    del app["env"]["FAIL_ALL"]
    viaductd.reload()
    assert status(viaductd) == 200


def test_probation_that_is_passed_ends_the_former_workers(viaductd):
    app = viaductd.app("sdk", probation="1s")
    viaductd.start()
    (former,) = viaductd.workers()
    app["env"]["NUMBER"] = "2"
    viaductd.reload()
    assert alive(former)
    assert status(viaductd) == 200
    viaductd.logged("probation passed")
    wait_for(lambda: not alive(former), "the former worker is gone")
    assert status(viaductd) == 200


def test_next_reload_ends_the_probation(viaductd):
    app = viaductd.app("sdk", probation="60s")
    viaductd.start()
    (former,) = viaductd.workers()
    app["env"]["NUMBER"] = "2"
    viaductd.reload()
    app["env"]["NUMBER"] = "3"
    viaductd.reload()
    wait_for(lambda: not alive(former), "the first worker is gone")


@pytest.mark.parametrize("ready", [True, False], ids=["ready", "failing"])
def test_nothing_goes_back_while_an_upgrade_is_under_way(viaductd, ready):
    """Its successor takes over or fails; only then the one that goes on looks at its new workers."""
    app = viaductd.app("sdk", probation="60s")
    viaductd.start()
    for _ in range(50):
        assert status(viaductd) == 200
    app["env"]["FAIL_ALL"] = "1"
    viaductd.reload()
    gate = viaductd.marks / "gate"
    program = "exec " + shlex.join(map(str, app["command"])) if ready else "exit 3"
    app["command"] = ["/bin/sh", "-c", f"until [ -e {gate} ]; do sleep 0.05; done; {program}"]
    del app["env"]["FAIL_ALL"]
    viaductd.write()
    old = viaductd.process
    adopt_orphans()
    old.send(signal.SIGUSR2)
    successor = viaductd.successor()
    # For several looks.
    end = time.monotonic() + 1
    while time.monotonic() < end:
        assert status(viaductd) == 500
    gate.touch()
    if ready:
        viaductd.logged("upgrade: taken over")
        viaductd.process = Adopted(successor, viaductd.log)
        assert old.wait() == 0
        assert "going back" not in viaductd.text()
    else:
        viaductd.logged("upgrade failed: ")
        ask_until(viaductd, lambda: viaductd.generations() == 2, "it goes back")
        assert viaductd.text().index("upgrade failed: ") < viaductd.text().index(": going back")
    wait_for(lambda: status(viaductd) == 200, "it serves")


@pytest.mark.slow
def test_broken_deployment_under_load(viaductd, start_front, start_load):
    """A program that never becomes ready: nothing fails, nothing changes, and it is said why, to who
    asked for it, in the log and in the status."""
    app = viaductd.app("sdk", workers=2)
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    load = start_load(front.port, concurrency=32, mix="both", least=500)
    before = viaductd.workers()
    command = app["command"]
    tool = Tool(viaductd)
    for broken, status, reason in 10 * [
        (["/bin/false"], 1, "exited with status 1 before it was ready"),
        (["/nowhere/program"], 78, "exec /nowhere/program: No such file or directory"),
        (["/bin/sh", "-c", "kill -SEGV $$"], 1, "killed by SIGSEGV"),
    ]:
        app["command"] = broken
        viaductd.write()
        assert_refused(viaductd, tool, reason, status)
        assert load.running()
    app["command"] = command
    assert viaductd.workers() == before
    assert_clean(load.finish())


def test_workers_of_former_generations_run_the_former_program(viaductd):
    app = viaductd.app("sdk", workers=1, probation="60s")
    former = Path(app["command"][0])
    program = viaductd.directory / "program"
    shutil.copy(former, program)
    app["command"] = [str(program), *app["command"][1:]]
    viaductd.start()

    def version() -> str:
        """Device and inode of what the worker runs, by the link that names even a removed file."""
        answer = fastcgi.request(viaductd.socket, "/pid")
        info = os.stat(f"/proc/{int(answer.body)}/exe")
        return f"{info.st_dev}:{info.st_ino}"

    def die() -> None:
        (worker,) = viaductd.workers()
        os.kill(worker, signal.SIGKILL)

        def replaced() -> bool:
            now = Tool(viaductd).status()["apps"][0]["workers"]
            return [w["state"] for w in now] == ["ready"] and now[0]["pid"] != worker

        wait_for(replaced, "another worker")

    first = version()
    status(viaductd)
    die()
    assert version() == first
    assert Path(f"/proc/{viaductd.workers()[0]}/comm").read_text() == "program\n"

    # Installed, and not yet in force.
    shutil.copy(former, f"{program}.new")
    os.rename(f"{program}.new", program)
    die()
    assert version() == first
    assert command_line(viaductd.workers()[0])[0] == str(program)

    # In force, worse, and gone back from.
    app["env"]["FAIL_ALL"] = "1"
    assert "web restarted (binary, env changed)" in viaductd.reload()
    ask_until(
        viaductd,
        lambda: "is in force again" in Tool(viaductd).status()["last_reload"],
        "it goes back",
    )
    wait_for(lambda: len(viaductd.workers()) == 1, "the bad worker is gone")
    assert version() == first
    die()
    assert version() == first

    del app["env"]["FAIL_ALL"]
    assert "web restarted (binary changed)" in viaductd.reload()
    assert version() != first


@pytest.mark.slow
def test_broken_program_in_place_of_the_old_one_under_load(viaductd, start_front, start_load):
    """As a package manager installs it: the command is the same, its file another one."""
    app = viaductd.app("sdk", workers=2)
    program = viaductd.directory / "shop"
    shutil.copy2(app["command"][0], program)
    app["command"] = [str(program)]
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    load = start_load(front.port, concurrency=32, mix="both", least=500)
    before = viaductd.workers()
    kept = viaductd.directory / "kept"
    shutil.copy2(program, kept)
    broken = viaductd.directory / "broken"
    tool = Tool(viaductd)
    for text, reason in [
        ("#!/bin/sh\nexit 3\n", "exited with status 3 before it was ready"),
        ("#!/nowhere/interpreter\n", "No such file or directory"),
        ("#!/bin/sh\necho no database >&2; kill -ABRT $$\n", "killed by SIGABRT"),
        ("no program\n", "Exec format error"),
    ]:
        broken.write_text(text)
        broken.chmod(0o755)
        broken.replace(program)
        assert_refused(viaductd, tool, reason)
        assert load.running()
    os.rename(kept, program)
    assert viaductd.workers() == before
    assert "web restarted (binary changed)" in tool.done("reload")
    assert_clean(load.finish())
    wait_for(lambda: not set(viaductd.workers()) & set(before), "the old workers are gone")


def assert_refused(viaductd, tool, reason, status=1) -> None:
    """A reload, by its caller, in the log and in the status."""
    before = viaductd.text()
    result = tool.run("reload")
    assert (result.status, result.out) == (status, "")
    assert reason in result.err
    assert reason in viaductd.text().removeprefix(before)
    last = tool.status()["last_reload"]
    assert last.startswith("reload failed: ") and reason in last
    assert last in tool.done("status")


def test_canaries_get_their_requests(viaductd):
    app = viaductd.app("sdk", workers=2)
    app["canary"] = {"command": app["command"] + ["--model", "threads"], "header": "X-Canary"}
    viaductd.start()
    workers = {str(pid) for pid in viaductd.workers()}

    def pid(**more) -> str:
        return fastcgi.request(viaductd.socket, "/pid", **more).body.decode().strip()

    canary = pid(HTTP_X_CANARY="1")
    assert canary not in workers
    assert {pid() for _ in range(20)} <= workers
    assert fastcgi.request(viaductd.socket, "/status?code=500", HTTP_X_CANARY="1").status == 500
    assert fastcgi.request(viaductd.socket, "/status?code=503").status == 503
    web, other = Tool(viaductd).status()["apps"]
    assert (web["name"], web["requests"], web["errors"], web["canary"]) == ("web", 23, 2, None)
    assert {str(worker["pid"]) for worker in web["workers"]} == workers
    assert (other["name"], other["requests"], other["errors"]) == ("web/canary", 2, 1)
    assert other["canary"] == {"app": "web", "share": "0%", "header": "X-Canary"}
    assert [str(worker["pid"]) for worker in other["workers"]] == [canary]
    line = "web/canary: requests with X-Canary: 1 error in 2 requests, the others 1 error in 21 requests"
    assert line in Tool(viaductd).done("status")
    # A crash of the canary is the canary's.
    app["canary"]["share"] = "100%"
    line = viaductd.reload()
    assert "web kept, web/canary kept" in line
    # Canaries that the new bridge has no link to yet leave their requests to the others.
    wait_for(lambda: pid() == canary, "the canary gets requests")
    del app["canary"]
    assert "web/canary removed" in viaductd.reload()
    wait_for(lambda: not alive(int(canary)), "the canary is gone")
    assert pid() in workers
