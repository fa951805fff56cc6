"""Listening sockets that the service manager keeps while viaductd is started again."""

import os
import signal
import socket

import pytest

from harness import fastcgi, scgi
from harness.ports import reserve_port
from harness.process import alive, descendants, wait_for
from harness.service_manager import ServiceManager
from harness.tool import Tool


@pytest.fixture
def manager(directory, stopping):
    made = ServiceManager(directory)
    stopping.insert(0, made)  # stopped behind viaductd, which talks to it
    return made


def name(address: str) -> str:
    return "viaduct-listener=" + address.replace(":", "%3A")


def ask(keep: bool = False) -> bytes:
    return (
        fastcgi.begin(1, keep=keep)
        + fastcgi.stream(4, 1, fastcgi.pairs(fastcgi.variables("GET", "/hello")))
        + fastcgi.stream(5, 1, b"")
    )


class Asked:
    """A request that waits for its answer."""

    def __init__(self, path: str) -> None:
        self.client = fastcgi.Client(path)
        self.client.send(ask())

    def answer(self) -> bytes:
        return self.client.read_answers(1)[1].body


class AskedByTcp:
    def __init__(self, port: int) -> None:
        self.peer = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.peer.sendall(scgi.head("GET", "/hello", 0))

    def answer(self) -> bytes:
        received = b""
        while piece := self.peer.recv(4096):
            received += piece
        return received.rpartition(b"\r\n\r\n")[2]


def end(viaductd, number: int) -> None:
    """Ends the master by a signal and waits until its children are gone, too."""
    left = descendants(viaductd.pid)
    status = viaductd.process.stop(number)
    assert status == (0 if number == signal.SIGTERM else -number)
    wait_for(lambda: not any(alive(pid) for pid in left), "all its processes are gone")


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_connections_wait_until_viaductd_is_back(viaductd, manager, ending):
    port = reserve_port()
    abstract = f"@viaduct-{os.getpid()}-{port}"
    viaductd.app("sdk")
    viaductd.settings["listeners"] += [
        {"protocol": "scgi", "address": f"tcp:127.0.0.1:{port}", "app": "web"},
        {"protocol": "fastcgi", "address": f"unix:{abstract}", "app": "web"},
    ]
    manager.start(viaductd)
    kept = manager.kept()
    assert set(kept) == {
        name(f"unix:{viaductd.socket}"),
        name(f"unix:{viaductd.scgi}"),
        name(f"tcp:127.0.0.1:{port}"),
        name(f"unix:{abstract}"),
    }
    file = os.stat(viaductd.socket)
    for round in range(2):
        end(viaductd, ending)
        asked = [Asked(viaductd.socket) for _ in range(20)]
        asked += [AskedByTcp(port) for _ in range(20)]
        asked += [Asked("\0" + abstract[1:]) for _ in range(20)]
        viaductd.settings["listeners"][0]["mode"] = f"06{round}0"
        manager.start(viaductd)
        assert [one.answer() for one in asked] == 60 * [b"hello\n"]
        assert manager.kept() == kept
        now = os.stat(viaductd.socket)
        assert (now.st_ino, now.st_mode & 0o777) == (file.st_ino, 0o600 + 8 * round)


def test_reloads_bring_and_drop(viaductd, manager, directory):
    viaductd.app("sdk")
    manager.start(viaductd)
    web, dropped = name(f"unix:{viaductd.socket}"), name(f"unix:{viaductd.scgi}")
    first = manager.kept()
    assert set(first) == {web, dropped}
    added = directory / "added.sock"
    second = viaductd.settings["listeners"][1]
    viaductd.settings["listeners"][1] = {**second, "address": f"unix:{added}"}
    viaductd.reload()
    wait_for(lambda: set(manager.kept()) == {web, name(f"unix:{added}")}, "the store follows")
    assert manager.kept()[web] == first[web]
    assert not os.path.exists(viaductd.scgi)

    # While it is away, too.
    end(viaductd, signal.SIGKILL)
    assert added.exists()
    viaductd.settings["listeners"][1] = second
    manager.start(viaductd)
    wait_for(lambda: set(manager.kept()) == {web, dropped}, "the store follows")
    assert manager.kept()[web] == first[web]
    assert not added.exists()
    assert scgi.request(viaductd.scgi, "/hello").body == b"hello\n"


def test_socket_whose_file_is_gone_is_made_anew(viaductd, manager):
    viaductd.app("sdk")
    manager.start(viaductd)
    before = manager.kept()
    web = name(f"unix:{viaductd.socket}")
    end(viaductd, signal.SIGKILL)
    os.unlink(viaductd.socket)
    manager.start(viaductd)
    wait_for(lambda: web in manager.kept() and manager.kept()[web] != before[web], "the new one is kept")
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"


@pytest.mark.parametrize("replaced", [False, True], ids=["gone", "replaced"])
def test_who_has_connected_to_a_socket_whose_file_is_gone_is_answered(viaductd, manager, replaced):
    """While the bridge does nothing, which ends with its master."""
    viaductd.app("sdk")
    manager.start(viaductd)
    before = manager.kept()
    os.kill(viaductd.bridge(), signal.SIGSTOP)
    asked = [Asked(viaductd.socket) for _ in range(100)]
    os.unlink(viaductd.socket)
    if replaced:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(viaductd.socket)
    end(viaductd, signal.SIGKILL)
    manager.start(viaductd)
    assert [one.answer() for one in asked] == 100 * [b"hello\n"]
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"
    web = name(f"unix:{viaductd.socket}")
    wait_for(lambda: manager.kept().get(web, before[web]) != before[web], "the new one is kept")


def test_stop_by_command_leaves_nothing(viaductd, manager):
    viaductd.app("sdk")
    manager.start(viaductd)
    assert len(manager.kept()) == 2
    Tool(viaductd).done("stop")
    assert viaductd.process.wait() == 0
    wait_for(lambda: manager.kept() == {}, "the store is empty")
    assert not os.path.exists(viaductd.socket)
    assert not os.path.exists(viaductd.scgi)


def test_upgrade_and_store_agree(viaductd, manager, directory):
    viaductd.app("sdk")
    manager.start(viaductd)
    first = manager.kept()
    web = name(f"unix:{viaductd.socket}")
    added = directory / "added.sock"
    viaductd.settings["listeners"][1]["address"] = f"unix:{added}"
    viaductd.upgrade()
    wait_for(lambda: set(manager.kept()) == {web, name(f"unix:{added}")}, "the store follows")
    assert manager.kept()[web] == first[web]
    end(viaductd, signal.SIGKILL)
    asked = [Asked(viaductd.socket) for _ in range(10)]
    manager.start(viaductd)
    assert [one.answer() for one in asked] == 10 * [b"hello\n"]


def test_without_a_store_nothing_is_kept(viaductd, manager):
    viaductd.app("sdk")
    manager.start(viaductd, store=False)
    end(viaductd, signal.SIGTERM)
    assert manager.kept() == {}
    assert not manager.told("FDSTORE")
    assert not os.path.exists(viaductd.socket)


def test_a_socket_that_was_shut_down_is_made_anew_while_connections_go_on(viaductd, manager):
    port = reserve_port()
    viaductd.app("sdk")
    viaductd.settings["listeners"].append(
        {"protocol": "scgi", "address": f"tcp:127.0.0.1:{port}", "app": "web"}
    )
    manager.start(viaductd)
    before = manager.kept()
    bridge = viaductd.bridge()
    with fastcgi.Client(viaductd.socket) as client:
        client.send(ask(keep=True))
        assert client.read_answers(1)[1].body == b"hello\n"
        for descriptor in list(manager.store.values()):
            with socket.socket(fileno=os.dup(descriptor)) as listener:
                listener.shutdown(socket.SHUT_RDWR)
        wait_for(
            lambda: set(manager.kept()) == set(before)
            and not set(manager.kept().values()) & set(before.values()),
            "the store has the new ones, by the same names",
        )
        client.send(ask(keep=True))
        assert client.read_answers(1)[1].body == b"hello\n"
    waits = 2 * [lambda: fastcgi.request(viaductd.socket, "/hello")]
    waits += [lambda: scgi.request(viaductd.scgi, "/hello")]
    waits += [lambda: scgi.request(("127.0.0.1", port), "/hello")]
    assert [one().body for one in waits] == 4 * [b"hello\n"]
    assert viaductd.bridges() == [bridge]
    after = manager.kept()
    end(viaductd, signal.SIGKILL)
    manager.start(viaductd)
    assert manager.kept() == after
    assert [one().body for one in waits] == 4 * [b"hello\n"]
