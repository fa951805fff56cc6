"""A FastCGI client for talking to a listener or a worker directly."""

import socket
import struct
from dataclasses import dataclass, field
from typing import Iterable, Optional

from .process import PATIENCE

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA = range(1, 9)
GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = 9, 10, 11
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3


def record(kind: int, request: int, content: bytes = b"", padding: int = 0, version: int = 1):
    head = struct.pack(">BBHHBB", version, kind, request, len(content), padding, 0)
    return head + content + bytes(padding)


def length(value: int) -> bytes:
    return bytes([value]) if value < 128 else struct.pack(">I", value | 0x80000000)


def pairs(values: Iterable[tuple[str, str]]) -> bytes:
    out = bytearray()
    for name, value in values:
        n, v = name.encode(), value.encode()
        out += length(len(n)) + length(len(v)) + n + v
    return bytes(out)


def begin(request: int, role: int = RESPONDER, keep: bool = False) -> bytes:
    return record(BEGIN, request, struct.pack(">HB5x", role, 1 if keep else 0))


def stream(kind: int, request: int, content: bytes) -> bytes:
    """Records of one stream, the closing empty one included."""
    out = bytearray()
    for at in range(0, len(content), 65528):
        out += record(kind, request, content[at : at + 65528])
    return bytes(out + record(kind, request))


def variables(method: str, target: str, **more: str) -> list[tuple[str, str]]:
    path, _, query = target.partition("?")
    values = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": method,
        "REQUEST_URI": target,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "test",
        "SERVER_NAME": "viaduct.test",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "4711",
        "HTTP_HOST": "viaduct.test",
    }
    values.update(more)
    return list(values.items())


@dataclass
class Answer:
    """One response. `ended` is False when the connection closed first."""

    out: bytes = b""
    errors: bytes = b""
    ended: bool = False
    app_status: int = 0
    protocol_status: int = 0
    raw: bytes = field(default=b"", repr=False)

    @property
    def head(self) -> dict[str, str]:
        text = self.out.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("latin-1")
        fields = (line.partition(":") for line in text.split("\n") if line)
        return {name.lower(): value.strip() for name, _, value in fields}

    @property
    def status(self) -> int:
        return int(self.head.get("status", "200").split()[0])

    @property
    def body(self) -> bytes:
        end = self.out.find(b"\r\n\r\n")
        if end >= 0:
            return self.out[end + 4 :]
        return self.out.partition(b"\n\n")[2]


class Client:
    """A connection; requests may be interleaved by hand."""

    def __init__(self, address: str, timeout: float = PATIENCE) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        self.rest = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read_record(self) -> Optional[tuple[int, int, bytes]]:
        """(type, id, content), None at the end of file. A bad version byte raises ValueError."""
        while True:
            if len(self.rest) >= 8:
                version, kind, request, size, padding, _ = struct.unpack(">BBHHBB", self.rest[:8])
                if version != 1:
                    raise ValueError(f"record version {version}")
                if len(self.rest) >= 8 + size + padding:
                    content = self.rest[8 : 8 + size]
                    self.rest = self.rest[8 + size + padding :]
                    return kind, request, content
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                return None
            if not data:
                return None
            self.rest += data

    def read_answers(self, *requests: int) -> dict[int, Answer]:
        """Reads until every one of these requests has ended or the connection closed."""
        answers = {request: Answer() for request in requests}
        while not all(answer.ended for answer in answers.values()):
            got = self.read_record()
            if got is None:
                break
            kind, request, content = got
            answer = answers.setdefault(request, Answer())
            if kind == STDOUT:
                answer.out += content
            elif kind == STDERR:
                answer.errors += content
            elif kind == END:
                answer.ended = True
                answer.app_status, answer.protocol_status = struct.unpack(">IB3x", content)
        return answers

    def closed_by_peer(self) -> bool:
        """Reads on; True when the peer closes (within the timeout)."""
        try:
            while self.read_record() is not None:
                pass
            return True
        except ValueError:
            return True
        except socket.timeout:
            return False

    def request(
        self,
        target: str,
        method: str = "GET",
        body: bytes = b"",
        keep: bool = False,
        identifier: int = 1,
        role: int = RESPONDER,
        **more: str,
    ) -> Answer:
        if body or method in ("POST", "PUT"):
            more.setdefault("CONTENT_LENGTH", str(len(body)))
        self.send(
            begin(identifier, role, keep)
            + stream(PARAMS, identifier, pairs(variables(method, target, **more)))
            + stream(STDIN, identifier, body)
        )
        return self.read_answers(identifier)[identifier]


def request(address: str, target: str, **options) -> Answer:
    with Client(address) as client:
        return client.request(target, **options)
