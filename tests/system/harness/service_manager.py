"""What systemd is to viaductd: is told how it is, keeps descriptors, and gives them back."""

import fcntl
import os
import socket
import threading
from pathlib import Path

from .process import wait_for

# Numbers of the kept descriptors, so that they do not meet those that are passed on, 3 and up.
FIRST_KEPT = 100


class ServiceManager:
    """Keeps the descriptors of `store` (by name) from one start() to the next."""

    def __init__(self, directory: Path) -> None:
        self.path = str(directory / "manager")
        self.messages: list[dict[str, str]] = []
        self.store: dict[str, int] = {}
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o777)
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while True:
            data, descriptors, _, _ = socket.recv_fds(self.socket, 65536, 16)
            if data == b"end":
                return
            message = dict(line.split("=", 1) for line in data.decode().split("\n"))
            with self.lock:
                if message.get("FDSTOREREMOVE") == "1":
                    os.close(self.store.pop(message["FDNAME"]))
                for descriptor in descriptors:
                    self._keep(message["FDNAME"], descriptor)
                self.messages.append(message)

    def _keep(self, name: str, descriptor: int) -> None:
        if name in self.store:
            # systemd would keep both, unless they are the same socket.
            assert os.fstat(descriptor).st_ino == os.fstat(self.store[name]).st_ino
        else:
            self.store[name] = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FIRST_KEPT)
        os.close(descriptor)

    def start(self, viaductd, store: bool = True) -> None:
        """Starts viaductd with what is in the store, and waits for READY=1."""
        with self.lock:
            self.messages.clear()
            kept = dict(self.store)
        passed = [f"{number}<&{fd} {fd}<&-" for number, fd in enumerate(kept.values(), 3)]
        environment = {"NOTIFY_SOCKET": self.path}
        if store:
            environment["FDSTORE"] = "512"
        if kept:
            environment.update(LISTEN_FDS=str(len(kept)), LISTEN_FDNAMES=":".join(kept))
        viaductd.start(
            ready=False,
            prefix=["/bin/bash", "-c", f'LISTEN_PID=$$ exec "$@" {" ".join(passed)}', "bash"],
            environment=environment,
            pass_fds=list(kept.values()),
        )
        wait_for(
            lambda: self.told("READY") or not viaductd.process.running(), "viaductd is ready"
        )
        assert viaductd.process.running(), viaductd.text()

    def told(self, key: str) -> bool:
        with self.lock:
            return any(key in message for message in self.messages)

    def kept(self) -> dict[str, int]:
        """The inode of each socket in the store, by name."""
        with self.lock:
            return {name: os.fstat(fd).st_ino for name, fd in self.store.items()}

    def stop(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", self.path)
        self.thread.join()
        self.socket.close()
        for descriptor in self.store.values():
            os.close(descriptor)
