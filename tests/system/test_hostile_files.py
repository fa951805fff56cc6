"""Sockets and directories of a viaductd that is root, in reach of another user."""

import os
import shutil
import signal
import socket
from pathlib import Path

import pytest

from harness import fastcgi, scgi
from harness.hostile import ATTACKER, Exchanger, Victim, as_user, own_directory
from harness.paths import ROOT
from harness.process import accepts, wait_for
from harness.tool import Tool

pytestmark = pytest.mark.skipif(not ROOT, reason="about being root")

CONFIGURATION = 78
RELOADS, EXCHANGES = 50, 2000


@pytest.fixture
def victim(directory):
    made = Victim(directory)
    yield made
    made.check()


@pytest.fixture
def place(viaductd):
    """A directory of the other user's, which the FastCGI listener is in."""
    viaductd.app("sdk")
    made = own_directory(viaductd.directory / "place")
    viaductd.socket = str(made / "web.sock")
    viaductd.settings["listeners"][0] |= {"address": f"unix:{viaductd.socket}", "group": "daemon"}
    return made


def serves(viaductd) -> bool:
    return scgi.request(viaductd.scgi, "/hello").body == b"hello\n"


class Foreign:
    """A socket of the other user's on which somebody listens."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX)
        # The socket is made here and the file there, so that both are his.
        as_user(ATTACKER, lambda: self.socket.bind(str(path)))
        self.socket.listen(64)
        self.before = self._state()

    def _state(self) -> tuple:
        status = self.path.lstat()
        return status.st_mode, status.st_uid, status.st_gid, status.st_ino

    def check(self) -> None:
        assert self._state() == self.before, "a socket of another user has changed"
        assert accepts(self.path), "and it is reached"


# What is put at a path where viaductd has, or wants to have, a socket: whether somebody of the test's
# listens there, and what the log says of it.
NO_SOCKET = " exists and is no socket"
PLANTS = {
    "link to a file": (lambda path, victim: path.symlink_to(victim.file), NO_SOCKET),
    "link to a foreign socket": (
        lambda path, victim: path.symlink_to(path.parent / "foreign.sock"),
        NO_SOCKET,
    ),
    "link to nothing": (lambda path, victim: path.symlink_to(victim.directory / "new"), NO_SOCKET),
    "foreign socket": (lambda path, victim: (path.parent / "foreign.sock").rename(path), " is in use by pid "),
    "file": (lambda path, victim: path.touch(0o600), NO_SOCKET),
    "directory": (lambda path, victim: path.mkdir(0o700), NO_SOCKET),
    "pipe": (lambda path, victim: os.mkfifo(path, 0o600), NO_SOCKET),
}


def state(path: Path) -> tuple:
    status = path.lstat()
    return status.st_mode, status.st_uid, status.st_gid, status.st_ino


@pytest.mark.parametrize("plant", PLANTS)
def test_what_takes_the_place_of_a_socket_is_left_alone(viaductd, place, victim, plant):
    """By a reload that changes mode and owner, a restart, an upgrade, and the end."""
    viaductd.start()
    tool, path = Tool(viaductd), Path(viaductd.socket)
    foreign = Foreign(place / "foreign.sock")
    put, words = PLANTS[plant]

    def replace() -> None:
        path.rename(place / "former.sock")
        put(path, victim)

    as_user(ATTACKER, replace)
    if plant == "foreign socket":
        foreign.path = path
    before = state(path)
    said = f"listeners[0]: unix:{path}{words}"
    viaductd.settings["listeners"][0] |= {"mode": "0777", "owner": "daemon"}
    viaductd.write()
    for command in (["reload"], ["restart", "web"]):
        answer = tool.run(*command)
        assert answer.status == 1 and said in answer.err
        assert state(path) == before
        victim.check()
        foreign.check()
    viaductd.process.send(signal.SIGUSR2)
    assert viaductd.logged("upgrade failed")
    assert said in viaductd.text()
    assert serves(viaductd)
    assert viaductd.stop() == 0
    assert state(path) == before
    foreign.check()
    # Nor does the next one begin with it.
    viaductd.start(ready=False)
    assert viaductd.process.wait() in (CONFIGURATION, 71)
    assert viaductd.text().rstrip().splitlines()[-1].find(said) >= 0
    assert state(path) == before
    foreign.check()


@pytest.mark.parametrize("kind", ["name", "directory"])
def test_names_that_are_exchanged_during_reloads_lead_nowhere(viaductd, place, victim, stopping, kind):
    """While mode and owner change: the socket and a link to a file of root's, or the directory of the
    socket and a link to one of root's."""
    name, target = Path(viaductd.socket), victim.file
    if kind == "directory":
        name, target = own_directory(place / "inner"), victim.directory
        viaductd.socket = str(name / "web.sock")
        viaductd.settings["listeners"][0] |= {"address": f"unix:{viaductd.socket}"}
    viaductd.start()
    tool = Tool(viaductd)
    as_user(ATTACKER, lambda: (place / "trap").symlink_to(target))
    exchanger = Exchanger(name, place / "trap")
    stopping.append(exchanger)
    results = []

    def reloaded() -> bool:
        number = len(results)
        owner, mode = (("daemon", "0660"), ("root", "0666"))[number % 2]
        viaductd.settings["listeners"][0] |= {"mode": mode, "owner": owner}
        viaductd.write()
        results.append(tool.run("reload").status)
        victim.check()
        return number >= RELOADS and exchanger.count() >= EXCHANGES

    wait_for(reloaded, "many reloads and many exchanges")
    exchanger.stop()
    assert set(results) <= {0, 1, CONFIGURATION}
    assert serves(viaductd)
    for left in (name, place / "trap"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        left.unlink(missing_ok=True)
    if kind == "directory":
        own_directory(name)
    viaductd.reload()
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"
    victim.check()


def test_no_socket_is_made_where_a_link_of_another_user_leads(viaductd, place, victim):
    """Neither at the start nor by a reload; --check says so."""
    as_user(ATTACKER, lambda: (place / "link").symlink_to(victim.directory))
    said = f"listeners[0].address: {place}/link, which a link of another user leads to"
    viaductd.settings["listeners"][0] |= {"address": f"unix:{place}/link/web.sock"}
    viaductd.write()
    checked = viaductd.check()
    assert checked.returncode == CONFIGURATION and said in checked.stderr
    viaductd.start(ready=False)
    assert viaductd.process.wait() == CONFIGURATION
    assert said in viaductd.text()
    victim.check()
    viaductd.settings["listeners"][0] |= {"address": f"unix:{viaductd.socket}"}
    viaductd.start()
    viaductd.settings["listeners"][0] |= {"address": f"unix:{place}/link/web.sock"}
    viaductd.write()
    answer = Tool(viaductd).run("reload")
    assert answer.status == CONFIGURATION and said in answer.err
    assert serves(viaductd)


def test_a_socket_in_a_directory_of_others_is_warned_of(viaductd, place):
    said = f"listeners[0].address: user {ATTACKER} can put something else in the place of the socket"
    viaductd.write()
    checked = viaductd.check()
    assert checked.returncode == 0 and said in checked.stderr
    viaductd.start()
    assert said in viaductd.text()


# ---- runtime_dir


def of_another(run: Path, victim: Victim) -> str:
    own_directory(run)
    return "belongs to user "


def of_a_group(run: Path, victim: Victim) -> str:
    run.mkdir()
    run.chmod(0o775)
    return "may be written by other users"


def of_all(run: Path, victim: Victim) -> str:
    run.mkdir()
    run.chmod(0o777)
    return "may be written by other users"


def sticky(run: Path, victim: Victim) -> str:
    run.mkdir()
    run.chmod(0o1777)
    return ""


def link_of_another(run: Path, victim: Victim) -> str:
    own_directory(run.parent)
    as_user(ATTACKER, lambda: run.symlink_to(victim.directory))
    return "which a link of another user leads to"


def link_where_all_may_write(run: Path, victim: Victim) -> str:
    run.parent.mkdir()
    run.parent.chmod(0o777)
    run.symlink_to(victim.directory)
    return "which a link of another user leads to"


def link_of_root(run: Path, victim: Victim) -> str:
    (run.parent / "real").mkdir()
    run.symlink_to(run.parent / "real")
    return ""


@pytest.mark.parametrize(
    "make",
    [of_another, of_a_group, of_all, sticky, link_of_another, link_where_all_may_write, link_of_root],
)
def test_runtime_dir_is_roots(viaductd, victim, make):
    viaductd.app("sdk")
    planted = make in (link_of_another, link_where_all_may_write)
    run = viaductd.directory / ("below/run" if planted else "run")
    viaductd.settings["runtime_dir"] = str(run)
    problem = make(run, victim)
    viaductd.write()
    checked = viaductd.check()
    if not problem:
        assert checked.returncode == 0, checked
        viaductd.start()
        assert serves(viaductd)
        assert viaductd.stop() == 0
        assert list(run.iterdir()) == []
        return
    viaductd.start(ready=False)
    assert viaductd.process.wait() == CONFIGURATION
    place = f"{viaductd.file}:1:14: runtime_dir: "
    for text in (viaductd.text(), checked.stderr):
        assert [line for line in text.splitlines() if line.startswith(place) and problem in line]
    assert checked.returncode == CONFIGURATION


def start_behind(viaductd, deed: str) -> int:
    """Starts it with `deed`, a command of the shell, done by the other user just before: $$ is the
    process number that viaductd will have. Its exit status."""
    script = f"setpriv --reuid={ATTACKER} --regid={ATTACKER} --clear-groups sh -c \"{deed}\"; exec \"$@\""
    viaductd.start(ready=False, prefix=["/bin/bash", "-c", script, "bash"])
    return viaductd.process.wait()


def test_names_that_viaductd_takes_in_a_sticky_runtime_dir_may_be_taken(viaductd, victim):
    """By links to a directory of root's, by directories with links in them, or by files: it does not start."""
    viaductd.app("sdk")
    run = viaductd.directory / "run"
    run.mkdir()
    run.chmod(0o1777)
    for deed, said in [
        (f"ln -s {victim.directory} {run}/$$", "runtime_dir: "),
        (f"mkdir {run}/$$ && ln -s {victim.directory} {run}/$$/workers", "belongs to user "),
        (f"mkfifo {run}/$$", "runtime_dir: "),
        (f"ln -s {victim.file} {run}/control.sock", "control: "),
    ]:
        before = len(viaductd.text())
        assert start_behind(viaductd, deed) == CONFIGURATION, deed
        assert said in viaductd.text()[before:], deed
        victim.check()
    names = sorted(path.name for path in run.iterdir())
    assert len(names) == 4, "what others have put there stays"


def test_what_dead_daemons_left_goes_without_what_it_leads_to(viaductd, victim):
    viaductd.app("sdk")
    run = viaductd.directory / "run"
    left = run / "111"
    (left / "workers").mkdir(parents=True)
    (left / "lock").touch()
    (left / "workers" / "1.sock").symlink_to(victim.file)
    (left / "roots").symlink_to(victim.directory)
    run.chmod(0o1777)
    # Of another: its lock is a pipe, for which nobody waits.
    theirs = run / "222"
    as_user(ATTACKER, lambda: (theirs.mkdir(), os.mkfifo(theirs / "lock")))
    viaductd.start()
    assert serves(viaductd)
    assert not left.exists() and theirs.exists()
    assert viaductd.stop() == 0
    wait_for(lambda: {path.name for path in run.iterdir()} == {"222"}, "its own are gone")
