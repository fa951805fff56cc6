"""An HTTP/1.1 client on bare sockets, for everything a polite library would not let one do."""

import hashlib
import socket
import time
from dataclasses import dataclass, field
from typing import Iterable, Iterator, Optional, Union

from .process import PATIENCE


class Broken(Exception):
    """The response ended before its framing said so, or is no HTTP."""


@dataclass
class Reply:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    sha256: str = ""
    length: int = 0
    head_bytes: bytes = field(default=b"", repr=False)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> Optional[str]:
        values = self.all(name)
        return values[0] if values else None

    @property
    def text(self) -> str:
        return self.body.decode()

    def variables(self) -> dict[str, str]:
        """The answer of a test application's /env: lines NAME=value, percent-encoded."""
        from urllib.parse import unquote

        pairs = (line.partition("=") for line in self.text.splitlines())
        return {name: unquote(value) for name, _, value in pairs}


class Connection:
    """One connection to 127.0.0.1:port, from the address `source`. Every wait is bounded by `timeout`
    seconds."""

    def __init__(
        self, port: int, timeout: float = PATIENCE, receive_buffer: int = 0, source: str = ""
    ) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self.rest = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def shut(self) -> None:
        """Ends both directions, also for a thread that sends."""
        self.socket.shutdown(socket.SHUT_RDWR)

    def widen(self) -> None:
        """What a client does that begins to read fast."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_head(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        close: bool = False,
    ) -> None:
        lines = [f"{method} {target} HTTP/1.1"]
        fields = list(headers)
        if not any(name.lower() == "host" for name, _ in fields):
            fields.insert(0, ("Host", "viaduct.test"))
        if close:
            fields.append(("Connection", "close"))
        lines += [f"{name}: {value}" for name, value in fields]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    def send_chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def _more(self) -> None:
        try:
            data = self.socket.recv(262144)
        except ConnectionError as error:
            raise Broken(f"connection lost: {error}") from error
        if not data:
            raise Broken("connection closed early")
        self.rest += data

    def _line(self) -> bytes:
        while b"\r\n" not in self.rest:
            self._more()
        line, _, self.rest = self.rest.partition(b"\r\n")
        return line

    def read_head(self) -> Reply:
        while b"\r\n\r\n" not in self.rest:
            self._more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        version, _, rest = status_line.partition(" ")
        code, _, reason = rest.partition(" ")
        if not version.startswith("HTTP/1.") or not code.isdigit():
            raise Broken(f"no status line: {status_line!r}")
        headers = []
        for line in lines:
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
        reply = Reply(int(code), reason, headers, head_bytes=head)
        interim = 100 <= reply.status < 200 and reply.status != 101
        return self.read_head() if interim else reply

    def body_pieces(self, reply: Reply, method: str = "GET") -> Iterator[bytes]:
        """The body as it comes; raises Broken where it ends too early."""
        if method == "HEAD" or reply.status in (204, 304):
            return
        if (reply.get("Transfer-Encoding") or "").lower() == "chunked":
            yield from self._chunks()
        elif reply.get("Content-Length") is not None:
            yield from self._exactly(int(reply.get("Content-Length")))
        else:
            yield from self._until_end()

    def _exactly(self, left: int) -> Iterator[bytes]:
        while left:
            if not self.rest:
                self._more()
            piece, self.rest = self.rest[:left], self.rest[left:]
            left -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while True:
            line = self._line()
            try:
                size = int(line.split(b";")[0], 16)
            except ValueError:
                raise Broken(f"bad chunk size {line!r}") from None
            yield from self._exactly(size)
            if self._line() != b"" and size:
                raise Broken("no line end after a chunk")
            if size == 0:
                return

    def _until_end(self) -> Iterator[bytes]:
        while True:
            if self.rest:
                piece, self.rest = self.rest, b""
                yield piece
            try:
                self._more()
            except Broken:
                return

    def read_reply(self, method: str = "GET", keep_body: bool = True) -> Reply:
        """The whole response. `keep_body` False: only its length and SHA-256."""
        reply = self.read_head()
        digest, pieces = hashlib.sha256(), []
        for piece in self.body_pieces(reply, method):
            digest.update(piece)
            reply.length += len(piece)
            if keep_body:
                pieces.append(piece)
        reply.sha256, reply.body = digest.hexdigest(), b"".join(pieces)
        return reply


Body = Union[bytes, Iterable[bytes]]


def request(
    port: int,
    target: str,
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    body: Optional[Body] = None,
    chunked: bool = False,
    keep_body: bool = True,
    timeout: float = PATIENCE,
) -> Reply:
    """One request on a connection of its own. A body that is not bytes needs `chunked` or a
    Content-Length among the headers."""
    fields = list(headers)
    if isinstance(body, bytes) and not chunked:
        fields.append(("Content-Length", str(len(body))))
    if chunked:
        fields.append(("Transfer-Encoding", "chunked"))
    with Connection(port, timeout) as connection:
        connection.send_head(method, target, fields, close=True)
        try:
            for piece in [body] if isinstance(body, bytes) else body or ():
                connection.send_chunk(piece) if chunked else connection.send(piece)
            if chunked:
                connection.send(b"0\r\n\r\n")
        except ConnectionError:
            pass  # an early refusal: its text is still to be read
        return connection.read_reply(method, keep_body)


def read_until_broken(port: int, target: str, following: Optional[str] = None) -> tuple[bytes, bool]:
    """The body of the response that arrives, and whether the client sees that it is broken. The request for
    `following` is there already: its response must not fill the gap. A front that closes the connection
    with that unread resets it, and the client's kernel may drop the last of what came."""
    got = b""
    with Connection(port) as client:
        client.send_head("GET", target)
        if following:
            client.send_head("GET", following)
        reply = client.read_head()
        assert reply.status == 200
        try:
            for piece in client.body_pieces(reply):
                got += piece
        except (Broken, ConnectionError):
            return got, True
    return got, False


_BLOCK = bytes((i * 31 + (i >> 8)) & 0xFF for i in range(65536))


def pattern(length: int) -> Iterator[bytes]:
    """What the test applications' /generate sends, in pieces."""
    while length > 0:
        yield _BLOCK[:length]
        length -= len(_BLOCK)


def pattern_sha256(length: int) -> str:
    digest = hashlib.sha256()
    for piece in pattern(length):
        digest.update(piece)
    return digest.hexdigest()


def seconds(function) -> float:
    """How long a call takes."""
    begin = time.monotonic()
    function()
    return time.monotonic() - begin
