"""A bridge in other hands: it cannot hurt the bridges beside it, take listeners from them, or prevent an
upgrade."""

import os
import signal
import socket
import time

import pytest

from harness import fastcgi, scgi
from harness.hostage import RULES, Hostage
from harness.paths import built
from harness.ports import reserve_port
from harness.process import Adopted, adopt_orphans, alive, descendants, pause, wait_for


@pytest.fixture
def daemon(viaductd):
    viaductd.program = viaductd.stage.put(built("hostile_viaductd"))
    return viaductd


def reload_beside_a_hostile_bridge(daemon, hostage, **options) -> int:
    """The new generation's bridge, beside an old one that spoils its board."""
    app = daemon.app("sdk", workers=2, probation="60s")
    hostage.start(**options)
    hostage.take_over("board")
    app["env"]["VERSION"] = "2"
    daemon.reload()
    return hostage.status()["generations"][-1]["bridge_pid"]


def test_an_old_bridge_does_not_bring_the_former_workers_back(daemon):
    hostage = Hostage(daemon)
    reload_beside_a_hostile_bridge(daemon, hostage)
    for _ in range(30):
        hostage.request()
        time.sleep(0.1)  # the master looks five times a second
    assert alive(hostage.hostile()), "the old one counts errors all the while"
    assert "going back" not in daemon.text()
    assert [g["number"] for g in hostage.status()["generations"]][-1] == 2
    os.kill(hostage.hostile(), signal.SIGKILL)
    wait_for(lambda: len(hostage.status()["generations"]) == 1, "the old one is gone")


def test_an_old_bridge_does_not_hide_that_the_new_one_hangs(daemon):
    hostage = Hostage(daemon)
    bridge = reload_beside_a_hostile_bridge(
        daemon, hostage, environment={"WATCHDOG_USEC": "9000000"}
    )
    pause(bridge)
    daemon.logged("bridge makes no progress, killed")
    assert alive(hostage.hostile())
    hostage.request()
    os.kill(hostage.hostile(), signal.SIGKILL)
    wait_for(lambda: len(hostage.status()["generations"]) == 1, "the old one is gone")


def test_a_bridge_that_calls_the_control_socket_is_ended(daemon):
    """Where viaductd is not root, nothing else keeps its bridge from it."""
    daemon.app("sdk", workers=2)
    control = daemon.directory / "run" / "control.sock"
    daemon.settings["control"] = {"address": f"unix:{control}", "mode": "0666"}
    hostage = Hostage(daemon).start()
    answer = daemon.marks / "answer"
    pid = hostage.take_over(f"control {control} {answer}")
    wait_for(lambda: not alive(pid), "the bridge is ended")
    assert "a connection to the control socket" in daemon.logged(RULES)
    # It is killed while it reads.
    assert answer.read_text().split("\r\n")[0] in ("", "HTTP/1.1 403 Forbidden")
    hostage.serves_again(violations=1)


def refuses(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(address)
        except OSError:
            return True
    return False


def served(call) -> bool:
    try:
        return call().status == 200
    except (OSError, AssertionError):
        return False


def listeners_of_every_kind(daemon) -> list:
    """Gives it such listeners. Requests, one through each."""
    port = reserve_port()
    abstract = f"@viaduct-{os.getpid()}-{port}"
    daemon.settings["listeners"] += [
        {"protocol": "scgi", "address": f"tcp:127.0.0.1:{port}", "app": "web"},
        {"protocol": "fastcgi", "address": f"unix:{abstract}", "app": "web"},
    ]
    return [
        lambda: fastcgi.request(daemon.socket, "/hello"),
        lambda: scgi.request(daemon.scgi, "/hello"),
        lambda: scgi.request(("127.0.0.1", port), "/hello"),
        lambda: fastcgi.request("\0" + abstract[1:], "/hello"),
    ]


def test_listeners_that_a_bridge_has_shut_down_are_bound_anew(daemon):
    daemon.app("sdk", workers=2)
    requests = listeners_of_every_kind(daemon)
    hostage = Hostage(daemon).start()
    pid = hostage.take_over("shutdown")
    # It holds the abstract name as long as it lives.
    wait_for(lambda: not alive(pid), "the bridge is ended for the abstract name")
    for request in requests:
        wait_for(lambda: served(request), "the next bridge serves")
    assert daemon.text().count(", bound anew") == 4
    assert all(one["failure"] == "" for one in hostage.status()["listeners"])
    hostage.serves_again(violations=0)


def test_a_listener_that_a_bridge_has_disconnected_is_bound_anew(daemon):
    daemon.app("sdk", workers=2)
    requests = listeners_of_every_kind(daemon)
    hostage = Hostage(daemon).start()
    pid = hostage.take_over("disconnect")
    daemon.logged(", bound anew")
    os.kill(pid, signal.SIGKILL)
    for request in requests:
        wait_for(lambda: served(request), "the next bridge serves")
    hostage.serves_again(violations=0)


def test_an_old_bridge_does_not_take_the_listeners_from_the_new_one(daemon):
    app = daemon.app("sdk", workers=2)
    requests = listeners_of_every_kind(daemon)[:3]
    del daemon.settings["listeners"][-1]  # the abstract one
    hostage = Hostage(daemon).start()
    pid = hostage.take_over("orphan")
    app["env"]["VERSION"] = "2"
    before = daemon.generations()
    daemon.write()
    daemon.process.send(signal.SIGHUP)
    wait_for(lambda: daemon.text().count(", bound anew") == 3, "every listener is bound anew")
    for request in requests:
        wait_for(lambda: served(request), "the new bridge serves")
    assert alive(pid), "and goes on"
    new = hostage.status()["generations"][-1]["bridge_pid"]
    for _ in range(20):
        assert all(request().status == 200 for request in requests)
    wait_for(lambda: daemon.generations() > before, "the reload is reported")
    assert alive(pid) and daemon.text().count(", bound anew") == 3, "it has none of the new ones"
    assert hostage.status()["generations"][-1]["bridge_pid"] == new, "the same bridge"
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(hostage.status()["generations"]) == 1, "the old one is gone")


def test_an_inherited_listener_that_is_shut_down_is_named(daemon):
    """Nobody but the service manager can make another."""
    path = daemon.directory / "inherited.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen(64)
        daemon.app("sdk", workers=2)
        daemon.settings["listeners"].append(
            {"protocol": "fastcgi", "address": "systemd:web", "app": "web"}
        )
        hostage = Hostage(daemon).start(
            prefix=["/bin/bash", "-c", f'LISTEN_PID=$$ exec "$@" 3<&{listener.fileno()}', "bash"],
            environment={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"},
            pass_fds=[listener.fileno()],
        )
    why = 'systemd:web: shut down; restart the socket unit of its descriptor, "web"'
    assert fastcgi.request(str(path), "/hello").status == 200
    pid = hostage.take_over("shutdown")
    wait_for(
        lambda: [one["failure"] for one in hostage.status()["listeners"]] == ["", "", why],
        "the status names it",
    )
    assert refuses(str(path))
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: served(lambda: fastcgi.request(daemon.socket, "/hello")), "the next one serves")
    assert sum("clients are refused" in line for line in daemon.lines()) == 1, "it is said once"
    assert "systemd:web" in daemon.logged("clients are refused")
    assert f"refuses clients: {why}" in hostage.tool.done("status")


# ---- while another viaductd takes over


def gated(daemon) -> None:
    """Workers of the next viaductd start when the file `go` is there."""
    app = daemon.app("sdk", workers=2, timeouts={"start": "120s", "stop": "120s"})
    gate = f'while [ ! -e {daemon.marks}/go ]; do sleep 0.05; done; exec "$0"'
    app["command"] = ["/bin/sh", "-c", gate, app["command"][0]]
    (daemon.marks / "go").touch()


def let_take_over(daemon) -> None:
    """Ends the upgrade that waits; the old one may still have its hostile bridge."""
    (daemon.marks / "go").touch()
    daemon.logged("upgrade: taken over")
    daemon.process = Adopted(daemon.successor(), daemon.log)


def end_of(old, hostile: int) -> None:
    """Of the former viaductd, which waits for its bridge."""
    if alive(hostile):
        os.kill(hostile, signal.SIGKILL)
    assert old.wait(60) == 0


def test_a_bridge_that_ends_all_listening_cannot_prevent_an_upgrade(daemon):
    """Nor is anything changed of the sockets before they are the new one's."""
    gated(daemon)
    requests = listeners_of_every_kind(daemon)[:3]
    del daemon.settings["listeners"][-1]  # the abstract one
    hostage = Hostage(daemon).start()
    old, pid = daemon.process, hostage.take_over("relentless")
    daemon.logged(", bound anew")
    (daemon.marks / "go").unlink()
    adopt_orphans()
    old.send(signal.SIGUSR2)
    successor = daemon.successor()
    wait_for(lambda: len(descendants(successor)) >= 3, "the new one has a bridge and workers")
    begin = daemon.text().index("upgrade: started")
    file = os.stat(daemon.socket)
    let_take_over(daemon)
    log = daemon.text()
    assert ", bound anew" not in log[begin : log.index("upgrade: taken over")]
    for request in requests:
        wait_for(lambda: served(request), "the new one has bound another")
    assert alive(pid)
    for path in (daemon.socket, daemon.scgi):
        now = os.stat(path)
        assert (now.st_mode, now.st_uid, now.st_gid) == (file.st_mode, file.st_uid, file.st_gid)
    for _ in range(20):
        assert all(request().status == 200 for request in requests)
    end_of(old, pid)


def test_an_upgrade_that_fails_leaves_the_listeners_to_the_old_one(daemon):
    gated(daemon)
    hostage = Hostage(daemon).start()
    pid = hostage.take_over("relentless")
    daemon.logged(", bound anew")
    (daemon.marks / "go").unlink()
    daemon.process.send(signal.SIGUSR2)
    successor = daemon.successor()
    wait_for(lambda: len(descendants(successor)) >= 3, "the new one has a bridge and workers")
    os.kill(pid, signal.SIGKILL)
    os.kill(successor, signal.SIGKILL)
    daemon.logged("upgrade failed")
    (daemon.marks / "go").touch()
    wait_for(lambda: served(lambda: fastcgi.request(daemon.socket, "/hello")), "the old one serves")
    wait_for(lambda: served(lambda: scgi.request(daemon.scgi, "/hello")), "at every listener")
    assert os.stat(daemon.socket).st_mode & 0o777 == 0o666


def test_an_abstract_name_is_free_again_after_an_upgrade(daemon):
    """It is taken as long as a bridge of the old one has it."""
    gated(daemon)
    request = listeners_of_every_kind(daemon)[3]
    hostage = Hostage(daemon).start()
    old, pid = daemon.process, hostage.take_over("orphan")
    (daemon.marks / "go").unlink()
    adopt_orphans()
    old.send(signal.SIGUSR2)
    daemon.successor()
    let_take_over(daemon)
    wait_for(lambda: not alive(pid), "the former viaductd's bridge is ended")
    wait_for(lambda: served(request), "the name is bound anew")
    end_of(old, pid)


def test_a_bridge_of_the_former_viaductd_that_calls_the_control_socket_is_ended(daemon):
    gated(daemon)
    control = daemon.directory / "run" / "control.sock"
    daemon.settings["control"] = {"address": f"unix:{control}", "mode": "0666"}
    hostage = Hostage(daemon).start()
    answer, gate = daemon.marks / "answer", daemon.marks / "call"
    old, pid = daemon.process, hostage.take_over(f"control {control} {answer} {gate}")
    adopt_orphans()
    old.send(signal.SIGUSR2)
    let_take_over(daemon)
    assert alive(pid), "it has connections to finish"
    gate.touch()
    wait_for(lambda: not alive(pid), "it is ended")
    assert "a connection to the control socket" in daemon.logged(RULES)
    assert answer.read_text().split("\r\n")[0] in ("", "HTTP/1.1 403 Forbidden")
    assert hostage.status()["violations"] == 1
    end_of(old, pid)


def test_a_bridge_of_the_next_viaductd_that_calls_the_control_socket_is_ended(daemon):
    gated(daemon)
    control = daemon.directory / "run" / "control.sock"
    daemon.settings["control"] = {"address": f"unix:{control}", "mode": "0666"}
    hostage = Hostage(daemon).start()
    answer, gate = daemon.marks / "answer", daemon.marks / "call"
    (daemon.marks / "go").unlink()
    hostage.prepare(f"caller {control} {answer} {gate}")
    daemon.process.send(signal.SIGUSR2)
    pid = hostage.hostile()
    wait_for(lambda: len(descendants(daemon.successor())) >= 3, "the next one waits for its workers")
    gate.touch()
    wait_for(lambda: not alive(pid), "its bridge is ended")
    assert "a connection to the control socket" in daemon.logged(RULES)
    assert answer.read_text().split("\r\n")[0] in ("", "HTTP/1.1 403 Forbidden")
    daemon.logged("upgrade failed")
    (daemon.marks / "go").touch()
    hostage.request()
    assert hostage.status()["violations"] == 1
