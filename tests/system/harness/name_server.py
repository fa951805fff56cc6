"""A name server that the test controls, and a view of the machine in which it is the only one."""

import socket
import struct
import threading
from pathlib import Path

A, AAAA = 1, 28
OK, SERVFAIL, NXDOMAIN = 0, 2, 3


class NameServer:
    """On port 53 of `address` of the network namespace in which it is started. `names`: name -> its IPv4 addresses;
    others do not exist. All TTLs are one second."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.address = address
        self.names: dict[str, list[str]] = {}
        self.broken = False  # everything is answered SERVFAIL
        self.questions = 0
        self.socket = None
        self.thread = None
        self.ending = False

    def start(self) -> "NameServer":
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 53))
        self.socket.settimeout(0.05)
        self.ending = False
        self.thread = threading.Thread(target=self._serve, args=(self.socket,), daemon=True)
        self.thread.start()
        return self

    def stop(self) -> None:
        if self.thread is None:
            return
        self.ending = True
        self.thread.join()
        self.socket.close()
        self.thread = None

    def _serve(self, bound: socket.socket) -> None:
        while not self.ending:
            try:
                message, peer = bound.recvfrom(4096)
            except TimeoutError:
                continue
            bound.sendto(self._answer(message), peer)

    def _answer(self, message: bytes) -> bytes:
        self.questions += 1
        labels, at = [], 12
        while message[at]:
            labels.append(message[at + 1 : at + 1 + message[at]].decode().lower())
            at += 1 + message[at]
        kind = struct.unpack_from(">H", message, at + 1)[0]
        addresses = self.names.get(".".join(labels))
        status = SERVFAIL if self.broken else NXDOMAIN if addresses is None else OK
        found = addresses if status == OK and kind == A else []
        records = b"".join(
            struct.pack(">HHHIH", 0xC00C, A, 1, 1, 4) + socket.inet_aton(address) for address in found
        )
        head = message[:2] + struct.pack(">HHHHH", 0x8180 | status, 1, len(found), 0, 0)
        return head + message[12 : at + 5] + records


class Machine:
    """Files that take the place of /etc/resolv.conf and /etc/hosts for what is started with `prefix`."""

    def __init__(self, directory: Path) -> None:
        self.resolv_conf = directory / "resolv.conf"
        self.hosts = directory / "hosts"
        self.resolv_conf.write_text("nameserver 127.0.0.1\n")
        self.hosts.write_text("127.0.0.1 localhost\n")
        mount = (
            'mount --bind "$0/resolv.conf" /etc/resolv.conf && '
            'mount --bind "$0/hosts" /etc/hosts && exec "$@"'
        )
        self.prefix = ["unshare", "--mount", "sh", "-c", mount, str(directory)]


class LateMachine:
    """/etc/resolv.conf is a link for what is started with `prefix`, to a directory that appear() makes."""

    def __init__(self, directory: Path) -> None:
        self.target = directory / "late" / "resolv.conf"
        etc = directory / "etc"
        script = (
            f'cp -a /etc "{etc}" && ln -sfn "{self.target}" "{etc}/resolv.conf" && '
            f'mount --bind "{etc}" /etc && exec "$@"'
        )
        self.prefix = ["unshare", "--mount", "sh", "-c", script, "sh"]

    def appear(self, name_server: str) -> None:
        self.target.parent.mkdir(mode=0o755)
        self.target.write_text(f"nameserver {name_server}\n")
