"""The binary upgrade (SIGUSR2): another viaductd takes over, or nothing changes."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from harness import fastcgi
from harness.load import assert_clean
from harness.paths import ROOT
from harness.process import Adopted, adopt_orphans, alive, descendants, wait_for
from harness.tool import Tool


def hello(viaductd) -> bytes:
    return fastcgi.request(viaductd.socket, "/hello").body


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["nginx", "nginx-close"])
def test_ten_upgrades_lose_no_request(viaductd, start_front, start_load, variant):
    viaductd.app("sdk", workers=2)
    viaductd.start()
    front = start_front(variant, viaductd.socket)
    load = start_load(front.port, concurrency=64, mix="both", least=1000)
    pids = {viaductd.pid}
    for number in range(10):
        viaductd.settings["apps"]["web"]["env"]["NUMBER"] = str(number)
        viaductd.install()
        viaductd.upgrade()
        pids.add(viaductd.pid)
        assert load.running()
    assert_clean(load.finish())
    assert len(pids) == 11
    assert len(viaductd.workers()) == 2


def test_new_one_reads_the_configuration_and_owns_the_sockets(viaductd, directory):
    viaductd.app("sdk")
    dropped = directory / "dropped.sock"
    viaductd.settings["listeners"].append(
        {"protocol": "fastcgi", "address": f"unix:{dropped}", "mode": "0666", "app": "web"}
    )
    viaductd.start()
    old = viaductd.pid
    del viaductd.settings["listeners"][2]
    viaductd.settings["listeners"][0]["mode"] = "0600"
    viaductd.upgrade()
    assert viaductd.pid != old and not alive(old)
    assert hello(viaductd) == b"hello\n"
    assert not dropped.exists()
    assert os.stat(viaductd.socket).st_mode & 0o777 == 0o600
    run = Path(viaductd.settings["runtime_dir"])
    assert sorted(path.name for path in run.iterdir()) == [str(viaductd.pid), "control.sock"]
    assert viaductd.stop() == 0
    assert not os.path.exists(viaductd.socket)
    assert list(run.iterdir()) == []


def test_request_in_the_old_one_is_finished_there(viaductd):
    viaductd.app("sdk")
    viaductd.start()
    (worker,) = viaductd.workers()
    with fastcgi.Client(viaductd.socket) as slow:
        slow.send(fastcgi.begin(1))
        slow.send(fastcgi.stream(fastcgi.PARAMS, 1, fastcgi.pairs(fastcgi.variables("POST", "/pid"))))
        slow.send(fastcgi.record(fastcgi.STDIN, 1, b"first"))
        old = viaductd.process
        adopt_orphans()
        old.send(signal.SIGUSR2)
        viaductd.logged("upgrade: taken over")
        viaductd.process = Adopted(viaductd.successor(), viaductd.log)
        assert fastcgi.request(viaductd.socket, "/pid").body != b"%d\n" % worker
        assert old.running()
        slow.send(fastcgi.stream(fastcgi.STDIN, 1, b"last"))
        assert slow.read_answers(1)[1].body == b"%d\n" % worker
    assert old.wait() == 0


def test_service_manager_follows(viaductd, directory):
    """MAINPID by the old one comes before READY=1 of the new one."""
    viaductd.app("sdk")
    viaductd.start()
    path = directory / "notify"
    path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        notify.settimeout(30)
        viaductd.upgrade()
        told = []
        while not any("READY=1" in text for text in told):
            told.append(notify.recv(4096).decode())
    assert told[0] == f"MAINPID={viaductd.pid}"
    assert not any("STOPPING=1" in text for text in told)


def test_program_that_does_not_start(viaductd):
    viaductd.app("sdk")
    viaductd.start()
    before = viaductd.workers()
    broken = Path(str(viaductd.program) + ".broken")
    broken.write_text("no program\n")
    broken.chmod(0o755)
    kept = Path(str(viaductd.program) + ".kept")
    os.rename(viaductd.program, kept)
    os.rename(broken, viaductd.program)
    try:
        viaductd.process.send(signal.SIGUSR2)
        viaductd.logged("upgrade failed: the new viaductd exec: Exec format error (ENOEXEC); this one goes on")
    finally:
        os.rename(kept, viaductd.program)
    assert hello(viaductd) == b"hello\n"
    assert viaductd.workers() == before
    # Nothing stands in the way of the next one.
    viaductd.upgrade()
    assert hello(viaductd) == b"hello\n"


def test_configuration_with_a_mistake(viaductd):
    viaductd.app("sdk")
    viaductd.start()
    good = viaductd.file.read_text()
    viaductd.file.write_text(good.replace("workers:", "worker:"))
    viaductd.process.send(signal.SIGUSR2)
    viaductd.logged("upgrade failed: the new viaductd exited with status 78; this one goes on")
    assert 'apps.web.worker: unknown key; did you mean "workers"?' in viaductd.text()
    assert hello(viaductd) == b"hello\n"
    viaductd.reload()


def refused_upgrade(viaductd) -> str:
    """An upgrade that is refused with exit status 78 while the old one serves; the new one's text."""
    bridge, workers = viaductd.bridge(), viaductd.workers()
    before = len(viaductd.text())
    viaductd.process.send(signal.SIGUSR2)
    refusal = "upgrade failed: the new viaductd exited with status 78; this one goes on"
    wait_for(lambda: refusal in viaductd.text()[before:], "the upgrade is refused")
    assert hello(viaductd) == b"hello\n"
    assert (viaductd.bridge(), viaductd.workers()) == (bridge, workers)
    return viaductd.text()[before:]


@pytest.mark.skipif(not ROOT, reason="only root has a user for the bridge")
def test_user_of_the_bridge_that_does_not_exist(viaductd):
    viaductd.app("sdk")
    viaductd.start()
    viaductd.settings["bridge"]["user"] = "no-such-user"
    viaductd.write()
    said = refused_upgrade(viaductd)
    assert 'bridge.user: no user named "no-such-user" on this system' in said
    del viaductd.settings["bridge"]["user"]
    viaductd.upgrade()
    assert hello(viaductd) == b"hello\n"


@pytest.mark.skipif(not ROOT, reason="only root has a user for the bridge")
def test_user_of_the_bridge_that_was_deleted(viaductd, directory):
    """viaductd has a passwd file of its own, in a mount namespace of its own."""
    users = directory / "passwd"
    everybody = Path("/etc/passwd").read_text()
    users.write_text(everybody)
    mount = f"mount --bind {users} /etc/passwd && exec \"$@\""
    if subprocess.run(["unshare", "--mount", "sh", "-c", mount, "sh", "true"], check=False).returncode:
        pytest.skip("no mount namespace to be had")
    viaductd.app("sdk")
    viaductd.start(prefix=["unshare", "--mount", "sh", "-c", mount, "sh"])
    kept = [line for line in everybody.splitlines() if not line.startswith("viaduct:")]
    users.write_text("\n".join(kept) + "\n")
    said = refused_upgrade(viaductd)
    assert 'bridge.user: no user named "viaduct" on this system' in said
    assert "systemd-sysusers viaduct.conf" in said and "useradd --system" in said
    # It goes on for as long as it lives, with a new bridge as well.
    bridge = viaductd.bridge()
    os.kill(bridge, signal.SIGKILL)
    wait_for(lambda: viaductd.bridges() not in ([], [bridge]), "another bridge")
    assert hello(viaductd) == b"hello\n"
    users.write_text(everybody)
    viaductd.upgrade()
    assert hello(viaductd) == b"hello\n"


def test_app_that_does_not_become_ready(viaductd):
    viaductd.app("sdk")
    viaductd.start()
    before = viaductd.workers()
    viaductd.settings["apps"]["web"]["command"] = ["/bin/false"]
    viaductd.write()
    viaductd.process.send(signal.SIGUSR2)
    viaductd.logged("upgrade: not taking over: web: a worker did not become ready")
    viaductd.logged("upgrade failed: the new viaductd exited with status 70; this one goes on")
    assert all(alive(pid) for pid in before)
    assert hello(viaductd) == b"hello\n"
    assert len(descendants(viaductd.pid)) == 1 + len(before)


def waiting_app(viaductd):
    """An app whose workers start when the file `go` is there."""
    app = viaductd.app("sdk")
    gate = f'while [ ! -e {viaductd.marks}/go ]; do sleep 0.05; done; exec "$0"'
    app["command"] = ["/bin/sh", "-c", gate, app["command"][0]]
    return app


def test_reload_and_second_upgrade_wait_for_the_first(viaductd):
    app = waiting_app(viaductd)
    (viaductd.marks / "go").touch()
    viaductd.start()
    (viaductd.marks / "go").unlink()
    viaductd.process.send(signal.SIGUSR2)
    successor = viaductd.successor()
    viaductd.process.send(signal.SIGUSR2)
    viaductd.logged("upgrade: one is under way already")
    viaductd.process.send(signal.SIGHUP)
    os.kill(successor, signal.SIGKILL)
    viaductd.logged("upgrade failed: the new viaductd killed by SIGKILL; this one goes on")
    # The reload that was asked for meanwhile: it changes nothing but the generation.
    wait_for(lambda: viaductd.generations() == 1, "the reload happens")
    assert hello(viaductd) == b"hello\n"
    assert app


def test_reload_that_is_asked_for_meanwhile_happens_in_the_new_one(viaductd):
    app = waiting_app(viaductd)
    (viaductd.marks / "go").touch()
    viaductd.start()
    (viaductd.marks / "go").unlink()
    adopt_orphans()
    old = viaductd.process
    old.send(signal.SIGUSR2)
    successor = viaductd.successor()
    wait_for(lambda: len(descendants(successor)) == 2, "the new one has read its configuration")
    app["env"]["STAGE"] = "next"
    viaductd.write()
    old.send(signal.SIGHUP)
    viaductd.logged("reload: waits for the upgrade that is under way")
    command = Tool(viaductd).start("reload")
    viaductd.logged("command reload")
    (viaductd.marks / "go").touch()
    viaductd.logged("upgrade: taken over")
    viaductd.process = Adopted(successor, viaductd.log)
    _, error = command.communicate(timeout=60)
    assert command.returncode == 1
    assert f"reload failed: viaductd {successor} has taken over, and reloads now" in error
    viaductd.logged("generation 2: web restarted (env changed)")
    assert hello(viaductd) == b"hello\n"


def test_old_one_that_dies_meanwhile_is_still_replaced(viaductd):
    waiting_app(viaductd)
    (viaductd.marks / "go").touch()
    viaductd.start()
    (viaductd.marks / "go").unlink()
    adopt_orphans()
    old = viaductd.process
    old.send(signal.SIGUSR2)
    successor = viaductd.successor()
    old.send(signal.SIGKILL)
    old.wait()
    viaductd.process = Adopted(successor, viaductd.log)
    (viaductd.marks / "go").touch()
    viaductd.logged("upgrade: taken over")
    assert hello(viaductd) == b"hello\n"


def test_stop_ends_both(viaductd):
    waiting_app(viaductd)
    (viaductd.marks / "go").touch()
    viaductd.start()
    (viaductd.marks / "go").unlink()
    viaductd.process.send(signal.SIGUSR2)
    successor = viaductd.successor()
    assert viaductd.stop() == 0
    wait_for(lambda: not alive(successor), "the new one is gone, too")
    assert not os.path.exists(viaductd.socket)
