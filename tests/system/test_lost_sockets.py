"""Socket files and directories that somebody removed, or that are not there at the start."""

import os
import shlex
import shutil
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import fastcgi, scgi
from harness.ports import reserve_port
from harness.process import wait_for
from harness.tool import Tool

ENVIRONMENT, CONFIGURATION = 71, 78


@pytest.fixture
def daemon(viaductd):
    viaductd.app("sdk")
    return viaductd.start()


@pytest.fixture
def tool(viaductd):
    return Tool(viaductd)


def hello(path: str) -> bytes:
    return fastcgi.request(path, "/hello").body


def serves(path: str) -> bool:
    try:
        return hello(path) == b"hello\n"
    except OSError:
        return False


def remove(path: str) -> None:
    os.unlink(path)


def leave_dead_one(path: str) -> None:
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)


def reload(daemon, tool):
    daemon.reload()


def restart(daemon, tool):
    assert tool.run("restart", "web").status == 0


def upgrade(daemon, tool):
    daemon.upgrade()


@pytest.mark.parametrize("remedy", [reload, restart, upgrade])
@pytest.mark.parametrize("harm", [remove, leave_dead_one])
def test_a_socket_file_that_is_gone_or_replaced_is_made_again(daemon, tool, harm, remedy):
    harm(daemon.socket)
    remedy(daemon, tool)
    assert hello(daemon.socket) == b"hello\n"
    assert os.stat(daemon.socket).st_mode & 0o777 == 0o666
    assert daemon.stop() == 0
    assert not os.path.exists(daemon.socket)


@pytest.mark.parametrize("remedy", [reload, restart, upgrade])
@pytest.mark.parametrize("harm", [remove, leave_dead_one])
def test_who_has_connected_to_the_former_socket_is_answered(daemon, tool, harm, remedy):
    """More of them than a bridge accepts in one go, while it does nothing."""
    bridge = daemon.bridge()
    os.kill(bridge, signal.SIGSTOP)
    with ThreadPoolExecutor() as threads:
        try:
            waiting = [fastcgi.Client(daemon.socket) for _ in range(300)]
            for client in waiting:
                client.send(fastcgi.begin(1))
                asked = fastcgi.pairs(fastcgi.variables("GET", "/hello"))
                client.send(fastcgi.stream(fastcgi.PARAMS, 1, asked))
                client.send(fastcgi.record(fastcgi.STDIN, 1))
            harm(daemon.socket)
            remedied = threads.submit(remedy, daemon, tool)
            wait_for(lambda: serves(daemon.socket), "the next bridge serves")
        finally:
            os.kill(bridge, signal.SIGCONT)
        remedied.result()
        for number, client in enumerate(waiting):
            with client:
                answer = client.read_answers(1)[1]
                assert answer.body == b"hello\n", (number, answer)
    assert hello(daemon.socket) == b"hello\n"


def test_what_another_has_in_its_place_is_left_and_the_reload_refused(daemon, tool):
    os.unlink(daemon.socket)
    Path(daemon.socket).write_text("precious")
    answer = tool.run("reload")
    assert answer.status == 1
    assert f"listeners[0]: unix:{daemon.socket} exists and is no socket" in answer.err
    assert Path(daemon.socket).read_text() == "precious"


def test_the_control_socket_is_made_again(daemon, tool):
    control = Path(daemon.settings["runtime_dir"]) / "control.sock"
    control.unlink()
    assert tool.run("status").status != 0
    daemon.reload()
    daemon.logged("the file of the control socket was gone, made anew")
    assert tool.run("status").status == 0


def test_a_runtime_directory_that_is_gone_is_made_again_with_its_workers(daemon, tool):
    before = daemon.workers()
    shutil.rmtree(daemon.settings["runtime_dir"])
    assert "web restarted" in daemon.reload()
    assert hello(daemon.socket) == b"hello\n"
    assert tool.run("status").status == 0
    wait_for(lambda: not set(before) & set(daemon.workers()), "the workers are replaced")


def tool_outside(viaductd) -> Tool:
    tool = Tool(viaductd)
    tool.control = str(viaductd.directory / "control.sock")
    return tool


@pytest.fixture
def two(viaductd):
    """`web` behind the FastCGI listener, `blog` behind the one for SCGI; the programs of the test's own,
    and the control socket outside of the runtime directory."""
    viaductd.settings["control"] = f"unix:{viaductd.directory}/control.sock"
    for name in ("web", "blog"):
        program = viaductd.directory / f"{name}.sh"
        app = viaductd.app("sdk", name=name)
        program.write_text("#!/bin/sh\nexec " + shlex.join(map(str, app["command"])) + "\n")
        program.chmod(0o644)
        app["command"] = ["/bin/sh", str(program)]
    viaductd.settings["listeners"][1]["app"] = "blog"
    return viaductd.start()


def lose_directory(daemon) -> None:
    shutil.rmtree(daemon.settings["runtime_dir"])


def lose_sockets(daemon) -> None:
    for path in Path(daemon.settings["runtime_dir"]).glob("*/workers/*.sock"):
        path.unlink()


@pytest.mark.parametrize("lose", [lose_directory, lose_sockets])
def test_of_the_workers_that_cannot_be_reached_keep_going_replaces_those_it_can(two, lose):
    tool = tool_outside(two)
    lose(two)
    program = two.directory / "blog.sh"
    kept = program.read_text()
    program.write_text("exit 3\n")
    answer = tool.run("reload", "--keep-going")
    assert answer.status == 1
    assert "web restarted, blog failed and cannot be reached; ready in" in answer.err
    assert "blog: a worker did not become ready (blog/1: exited with status 3" in answer.err
    assert hello(two.socket) == b"hello\n"
    web = two.started("web")
    program.write_text(kept)
    assert "web kept, blog restarted; ready in" in tool.done("reload", "--keep-going")
    assert two.started("web") == web, "it has sockets already"
    assert scgi.request(two.scgi, "/hello").body == b"hello\n"


def test_the_socket_of_one_worker_that_is_gone_is_made_again_with_its_app(two):
    tool = tool_outside(two)
    (first, *_) = sorted(
        Path(two.settings["runtime_dir"]).glob("*/workers/*.sock"), key=lambda path: int(path.stem)
    )
    first.unlink()
    assert "web restarted, blog kept; ready in" in tool.done("reload")
    two.logged("the socket of a worker was gone, the app is restarted")
    assert hello(two.socket) == b"hello\n"
    assert "web kept, blog kept; ready in" in tool.done("reload")


PLACES = {
    "listeners[0].address": lambda settings, path: settings["listeners"][0].update(
        address=f"unix:{path}/web.sock"
    ),
    "control.address": lambda settings, path: settings.update(control=f"unix:{path}/c.sock"),
    "log.to": lambda settings, path: settings.update(log={"to": f"{path}/log"}),
    "access_log.to": lambda settings, path: settings.update(access_log={"to": f"{path}/access"}),
    "apps.web.log.to": lambda settings, path: settings["apps"]["web"].update(
        log={"to": f"{path}/web"}
    ),
    "apps.web.slow_log": lambda settings, path: settings["apps"]["web"].update(
        slow_log=f"{path}/slow"
    ),
    "apps.web.crash_dir": lambda settings, path: settings["apps"]["web"].update(
        crash_dir=f"{path}/crashes"
    ),
    "bridge.spool": lambda settings, path: settings.update(bridge={"spool": f"{path}"}),
    "runtime_dir": lambda settings, path: settings.update(runtime_dir=f"{path}/run"),
}


@pytest.mark.parametrize("key", PLACES)
def test_a_missing_directory_is_named_with_its_place(viaductd, key):
    viaductd.app("sdk")
    missing = viaductd.directory / "missing"
    PLACES[key](viaductd.settings, missing)
    viaductd.start(ready=False)
    assert viaductd.process.wait() == CONFIGURATION
    said = next(line for line in viaductd.lines() if f"{key}: " in line)
    assert said.startswith(f"{viaductd.file}:")
    assert str(missing) in said and "No such file or directory (ENOENT)" in said
    checked = viaductd.check()
    assert checked.returncode == 0
    assert f"warning: {said}" in checked.stderr


@pytest.mark.parametrize("key", ["log.to", "access_log.to", "apps.web.log.to", "apps.web.slow_log"])
def test_a_log_that_cannot_be_opened_is_named_with_its_place(viaductd, key):
    viaductd.app("sdk")
    PLACES[key](viaductd.settings, viaductd.directory)
    for name in ("log", "access", "web", "slow"):
        (viaductd.directory / name).mkdir()
    viaductd.start(ready=False)
    assert viaductd.process.wait() == CONFIGURATION
    said = next(line for line in viaductd.lines() if f"{key}: " in line)
    assert said.startswith(f"{viaductd.file}:") and "Is a directory" in said


def test_an_address_in_use_is_named_and_may_pass(viaductd):
    """A service manager starts it again after 71, and not after 78."""
    viaductd.app("sdk")
    port = reserve_port()
    viaductd.settings["listeners"] = [
        {"protocol": "fastcgi", "address": f"tcp:127.0.0.1:{port}", "app": "web"}
    ]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        viaductd.start(ready=False)
        assert viaductd.process.wait() == ENVIRONMENT
    name = Path("/proc/self/comm").read_text().strip()
    assert (
        f"listeners[0]: tcp:127.0.0.1:{port} is in use by pid {os.getpid()} ({name})"
        in viaductd.text()
    )
    viaductd.start()


def test_an_address_that_is_not_there_yet_may_pass(viaductd):
    viaductd.app("sdk")
    viaductd.settings["listeners"] = [
        # RFC 5737: of no machine.
        {"protocol": "fastcgi", "address": "tcp:192.0.2.1:9000", "allow": ["192.0.2.2"], "app": "web"}
    ]
    viaductd.start(ready=False)
    assert viaductd.process.wait() == ENVIRONMENT
    assert "listeners[0]: tcp:192.0.2.1:9000: bind: " in viaductd.text()
