"""Sockets that others left, and how viaductd ends."""

import os
import signal
import socket
import stat
from pathlib import Path

import pytest

from harness import fastcgi
from harness.process import alive, children, descendants, wait_for
from harness.viaductd import Viaductd


def test_stale_socket_is_replaced(viaductd):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(viaductd.socket)
    viaductd.app("sdk")
    viaductd.start()
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"


def test_live_socket_is_refused(viaductd, stage, stopping):
    viaductd.app("sdk")
    viaductd.start()
    second_directory = viaductd.directory / "second"
    second_directory.mkdir(mode=0o755)
    second = Viaductd(stage, second_directory)
    stopping.append(second)
    second.app("sdk")
    second.settings["listeners"][0]["address"] = f"unix:{viaductd.socket}"
    second.start(ready=False)
    assert second.process.wait() != 0
    assert (
        f"listeners[0]: unix:{viaductd.socket} is in use by pid {viaductd.pid} (viaductd)"
        in second.text()
    )
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"


def test_inherited_socket_is_used_and_left(viaductd):
    """As systemd passes one: descriptor 3, named."""
    path = viaductd.directory / "inherited.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen(64)
        viaductd.app("sdk")
        viaductd.settings["listeners"] = [
            {"protocol": "fastcgi", "address": "systemd:web", "app": "web"}
        ]
        viaductd.start(
            prefix=["/bin/bash", "-c", f'LISTEN_PID=$$ exec "$@" 3<&{listener.fileno()}', "bash"],
            environment={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"},
            pass_fds=[listener.fileno()],
        )
    assert fastcgi.request(str(path), "/hello").body == b"hello\n"
    assert viaductd.stop() == 0
    assert path.exists()


def test_other_files_are_never_removed(viaductd):
    Path(viaductd.socket).write_text("precious")
    viaductd.app("sdk")
    viaductd.start(ready=False)
    assert viaductd.process.wait() != 0
    assert Path(viaductd.socket).read_text() == "precious"


def test_private_directories(viaductd):
    viaductd.app("sdk")
    viaductd.start()
    workers = Path(viaductd.settings["runtime_dir"]) / str(viaductd.pid) / "workers"
    # Only the daemon makes files there; the bridge connects to the sockets that it owns.
    assert stat.S_IMODE(workers.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
    assert workers.stat().st_uid == os.geteuid()
    sockets = list(workers.iterdir())
    assert sockets
    assert all(stat.S_IMODE(s.stat().st_mode) == 0o600 for s in sockets)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_signal_ends_everything_cleanly(viaductd, number):
    viaductd.app("sdk", workers=2)
    viaductd.start()
    pids = descendants(viaductd.pid)
    assert len(pids) >= 3
    viaductd.process.send(number)
    assert viaductd.process.wait() == 0
    assert not [pid for pid in pids if alive(pid)]
    assert not os.path.exists(viaductd.socket)
    assert not os.path.exists(viaductd.scgi)


def test_term_lets_requests_finish(viaductd):
    viaductd.app("sdk")
    viaductd.start()
    with fastcgi.Client(viaductd.socket) as client:
        values = fastcgi.pairs(fastcgi.variables("GET", "/sleep?ms=1500"))
        client.send(
            fastcgi.begin(1, keep=True)
            + fastcgi.stream(fastcgi.PARAMS, 1, values)
            + fastcgi.stream(fastcgi.STDIN, 1, b"")
        )
        pids = children(viaductd.pid)
        # A second request over another connection shows that the first was read before the signal.
        assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"
        viaductd.process.send(signal.SIGTERM)
        assert client.read_answers(1)[1].body == b"slept\n"
        assert client.read_record() is None
    assert viaductd.process.wait() == 0
    assert not [pid for pid in pids if alive(pid)]


def test_second_term_is_at_once(viaductd):
    viaductd.app("sdk", timeouts={"stop": "60s", "request": 0})
    viaductd.start()
    with fastcgi.Client(viaductd.socket) as client:
        values = fastcgi.pairs(fastcgi.variables("GET", "/hang?mark=hanging"))
        client.send(
            fastcgi.begin(1)
            + fastcgi.stream(fastcgi.PARAMS, 1, values)
            + fastcgi.stream(fastcgi.STDIN, 1, b"")
        )
        viaductd.mark("hanging")
        viaductd.process.send(signal.SIGTERM)
        wait_for(lambda: not _accepts(viaductd.socket), "it no longer accepts")
        viaductd.process.send(signal.SIGTERM)
        viaductd.process.wait(10)


def _accepts(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def test_stop_kills_what_outlasts_timeouts_stop(viaductd):
    viaductd.app("sdk", timeouts={"stop": "500ms", "request": 0})
    viaductd.start()
    with fastcgi.Client(viaductd.socket) as client:
        values = fastcgi.pairs(fastcgi.variables("GET", "/hang?mark=hanging"))
        client.send(
            fastcgi.begin(1)
            + fastcgi.stream(fastcgi.PARAMS, 1, values)
            + fastcgi.stream(fastcgi.STDIN, 1, b"")
        )
        viaductd.mark("hanging")
        pids = descendants(viaductd.pid)
        viaductd.process.send(signal.SIGTERM)
        viaductd.process.wait(15)
    assert not [pid for pid in pids if alive(pid)]
