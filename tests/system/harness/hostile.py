"""Another user of the machine, and a file of root's that he is after."""

import ctypes
import mmap
import os
import pwd
import signal
import stat
import struct
import time
from pathlib import Path
from typing import Callable

# Of every Debian; neither the user of a worker here nor of the bridge.
ATTACKER = "games"
SECRET = "of root alone\n"

_PR_SET_PDEATHSIG = 1
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100


def become(user: str) -> None:
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def as_user(user: str, deed: Callable[[], None]) -> None:
    """Does it in a process of that user; fails if it fails."""
    pid = os.fork()
    if pid == 0:
        try:
            become(user)
            deed()
            os._exit(0)
        except BaseException as error:  # whatever it is, pytest must not go on in here
            os.write(2, f"as {user}: {error!r}\n".encode())
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def own_directory(path: Path, user: str = ATTACKER) -> Path:
    """A directory that belongs to the user."""
    path.mkdir()
    path.chmod(0o755)
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)
    return path


class Victim:
    """A file of root's in a directory of root's, neither of which may change in any way."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "roots"
        self.directory.mkdir(mode=0o700)
        self.file = self.directory / "secret"
        self.file.touch(mode=0o600)
        self.file.write_text(SECRET)
        self.file.chmod(0o600)
        self.before = self._state()

    def _state(self) -> list:
        return [
            (path.name, status.st_mode, status.st_uid, status.st_gid, status.st_ino,
             path.read_bytes() if stat.S_ISREG(status.st_mode) else None)
            for path in (self.directory, *sorted(self.directory.iterdir()))
            for status in [path.lstat()]
        ]

    def check(self) -> None:
        assert self._state() == self.before, "a file of root's has changed"


class Exchanger:
    """A process of the user that exchanges two names a thousand times a second, from construction to
    stop() or the end of the test."""

    def __init__(self, first: Path, second: Path, user: str = ATTACKER) -> None:
        self.counter = mmap.mmap(-1, 8)  # shared with the process
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                become(user)
                # Behind setuid(), which takes the setting back; the parent may have ended before.
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
                if os.getppid() != parent:
                    os._exit(1)
                self._exchange(os.fsencode(first), os.fsencode(second))
            finally:
                os._exit(1)

    def _exchange(self, first: bytes, second: bytes) -> None:
        library, count = ctypes.CDLL(None), 0
        while True:
            # One of them may be missing for a moment.
            count += library.renameat2(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE) == 0
            struct.pack_into("q", self.counter, 0, count)
            # Both names get a time of their own: who has one processor would see one of them alone.
            # Never none: the others of the machine get theirs, too.
            time.sleep(0.0002 + 0.0004 * (count % 3))

    def count(self) -> int:
        """How often it has exchanged them."""
        return struct.unpack_from("q", self.counter)[0]

    def stop(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
            assert os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) == -signal.SIGTERM
        self.pid = 0
