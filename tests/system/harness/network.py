"""Hosts of their own, as network namespaces of the kernel: a front host and application hosts on one
network, 10.20.0.0/24. Unix sockets and files are shared by all."""

import contextlib
import ctypes
import os
import subprocess
from typing import Iterator

CLONE_NEWNET = 0x40000000
FRONT = "10.20.0.1"
_libc = ctypes.CDLL(None, use_errno=True)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class Network:
    """`hosts`: name -> the last number of its address. OSError where this may not be done."""

    def __init__(self, hosts: dict[str, int]) -> None:
        self.prefix = f"vd{os.getpid()}-"
        self.hosts = hosts
        self.made: list[str] = []
        try:
            self._make("front")
            _ip("-n", self.prefix + "front", "link", "add", "net0", "type", "bridge")
            _ip("-n", self.prefix + "front", "addr", "add", FRONT + "/24", "dev", "net0")
            _ip("-n", self.prefix + "front", "link", "set", "net0", "up")
            for name, number in hosts.items():
                self._make(name)
                self._connect(name, number)
        except OSError:
            self.stop()
            raise

    def _make(self, name: str) -> None:
        _ip("netns", "add", self.prefix + name)
        self.made.append(name)
        _ip("-n", self.prefix + name, "link", "set", "lo", "up")

    def _connect(self, name: str, number: int) -> None:
        front, host = self.prefix + "front", self.prefix + name
        _ip("link", "add", name, "netns", front, "type", "veth", "peer", "name", "eth0", "netns", host)
        _ip("-n", front, "link", "set", name, "master", "net0", "up")
        _ip("-n", host, "addr", "add", f"10.20.0.{number}/24", "dev", "eth0")
        _ip("-n", host, "link", "set", "eth0", "up")

    @contextlib.contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """What this thread connects and starts meanwhile, it does on that host."""
        with (
            _opened("/proc/thread-self/ns/net") as outside,
            _opened(f"/run/netns/{self.prefix}{name}") as host,
        ):
            _enter(host)
            try:
                yield
            finally:
                _enter(outside)

    def cut(self, name: str) -> None:
        """Its cable is pulled: nothing reaches it, and nobody is told."""
        _ip("-n", self.prefix + "front", "link", "set", name, "down")

    def mend(self, name: str) -> None:
        _ip("-n", self.prefix + "front", "link", "set", name, "up")

    def stop(self) -> None:
        for name in self.made:
            _ip("netns", "del", self.prefix + name)
        self.made = []
