"""Workers and front servers that have been taken over: what each reaches, and what not."""

import json
import re
import shutil
import time

import pytest

from harness import fastcgi
from harness.paths import ROOT, SYSTEM
from harness.process import alive, wait_for
from harness.tool import Tool

OTHER_USER = "games"  # of every Debian; the bridge and WORKER_USER are others


def hostile_app(viaductd, **environment) -> dict:
    """The app `web`, whose worker is hostile before it serves."""
    script = viaductd.stage.path / "hostile_worker.py"
    shutil.copy(SYSTEM / "apps" / "hostile_worker.py", script)
    app = viaductd.app("sdk")
    server = app["command"][0]
    app["command"] = ["/usr/bin/python3", str(script), str(viaductd.marks / "notes"), server]
    app["env"] |= environment
    return app


def processes(viaductd) -> list[int]:
    return [viaductd.pid, viaductd.bridge(), *viaductd.started("other"), *viaductd.started("web")]


@pytest.mark.skipif(not ROOT, reason="only root gives each app a user of its own")
def test_a_worker_reaches_no_other_process_and_no_log(viaductd):
    """Each attempt is one that succeeds where a promise is broken."""
    names = ("daemon", "access", "web", "other")
    logs = {name: viaductd.directory / f"{name}.log.d" for name in names}
    viaductd.settings |= {"log": {"to": str(logs["daemon"])}, "access_log": {"to": str(logs["access"])}}
    other = viaductd.app("sdk", name="other", user=OTHER_USER)
    other["log"] = {"to": str(logs["other"])}
    control = str(viaductd.directory / "run" / "control.sock")
    hostile_app(
        viaductd, LOGS=":".join(str(log) for log in logs.values()), SOCKETS=control
    )["log"] = {"to": str(logs["web"])}
    viaductd.start()
    outcomes = json.loads(viaductd.mark("notes"))
    assert len(outcomes) > len(logs) + 1
    assert {what: how for what, how in outcomes.items() if how == "done"} == {}
    # Those that it could see when it began.
    attacked = {int(what.split()[1]) for what in outcomes if what.startswith("kill")}
    assert viaductd.pid in attacked
    assert all(alive(pid) for pid in processes(viaductd))
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"
    wait_for(lambda: logs["web"].read_text().count("FORGED") == 3, "its own lines are in its own log")
    assert all("FORGED" not in logs[name].read_text() for name in names if name != "web")


@pytest.mark.parametrize("form", ["text", "json"])
def test_lines_of_a_worker_stay_its_own(viaductd, form):
    """In a log that it shares with others it names nobody else where the daemon says who speaks, begins
    no line and commands no terminal."""
    viaductd.settings["log"] = {"format": form}
    hostile_app(viaductd, LOGS="/dev/null", SOCKETS="/")
    viaductd.start()
    wait_for(lambda: viaductd.text().count("FORGED") == 3, "what it wrote is logged")
    forged = [line for line in viaductd.log.read_bytes().split(b"\n") if b"FORGED" in line]
    assert len(forged) == 3
    for line in forged:
        assert not set(line.decode()) & set("\r\x1b\x9b"), line
        if form == "json":
            said = json.loads(line)
            assert said["app"] == "web" and "FORGED" in said["message"]
        else:
            assert re.search(rb" app=web worker=web/1 pid=\d+ stream=stderr$", line), line


def test_a_worker_that_shouts_fills_neither_log_nor_master(viaductd):
    hostile_app(viaductd, DEED="shout", LOGS="/dev/null", SOCKETS="/")
    viaductd.app("sdk", name="other")
    viaductd.settings["listeners"].append(
        {
            "protocol": "fastcgi",
            "address": f"unix:{viaductd.directory}/other.sock",
            "mode": "0666",
            "app": "other",
        }
    )
    viaductd.start()
    begin, size = time.monotonic(), viaductd.log.stat().st_size
    tool = Tool(viaductd)
    while time.monotonic() - begin < 2:
        assert tool.status()
        assert fastcgi.request(f"{viaductd.directory}/other.sock", "/hello").status == 200
        time.sleep(0.1)
    seconds = time.monotonic() - begin
    written = viaductd.log.read_bytes()[size:]
    assert written.count(b"shout") > 100
    # 64 KiB each tenth of a second with what the daemon says of each line, and what the pipe held.
    assert len(written) < 2 * (64 * 1024 * (10 * seconds + 2) + 2**20)
    assert viaductd.stop() == 0


def test_a_front_server_reaches_the_apps_of_its_listener_alone(viaductd):
    """Whatever it says of the request: host, path, mount, script, variables of viaductd's own."""
    other = viaductd.app("sdk", name="other")
    viaductd.app("sdk")
    private = str(viaductd.directory / "private.sock")
    viaductd.settings["listeners"] = [
        {
            "protocol": "fastcgi",
            "address": f"unix:{viaductd.socket}",
            "mode": "0666",
            "routes": [{"host": "shop.test", "path": "/pid", "app": "web"}],
        },
        {"protocol": "fastcgi", "address": f"unix:{private}", "mode": "0600", "app": "other"},
    ]
    viaductd.start()
    workers = {name: viaductd.started(name)[0] for name in ("web", "other")}
    hosts = ("shop.test", "other", "private.test", "shop.test:80@other", "")
    paths = ("/pid", "/other/pid", "/pid/../pid", "/%70id", "//pid", "/pids", "/", "")
    answered = 0
    for host in hosts:
        for path in paths:
            lies = {
                "HTTP_HOST": host,
                "PATH_INFO": path,
                "DOCUMENT_URI": "/other/pid",
                "SCRIPT_FILENAME": str(other["command"][0]),
                "VIADUCT_APP": "other",
                "VIADUCT_WORKER": "other",
                "VIADUCT_LISTENER": private,
            }
            answer = fastcgi.request(viaductd.socket, "/pid", **lies)
            assert answer.status in (200, 400, 404), (host, path)
            if answer.status == 200:
                answered += 1
                assert answer.body == b"%d\n" % workers["web"], (host, path)
    assert answered > 0
    assert fastcgi.request(private, "/pid").body == b"%d\n" % workers["other"]
