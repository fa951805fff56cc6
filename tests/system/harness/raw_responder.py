"""A FastCGI server of a test's own, which says what it is told to, byte by byte."""

import os
import socket
import struct
import threading
from pathlib import Path
from typing import Container, Mapping

from .process import PATIENCE

BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, GET_VALUES = 1, 3, 4, 5, 6, 9
KEEP_CONNECTION = 1
PIECE = 32768


def record(kind: int, request: int, content: bytes = b"") -> bytes:
    return struct.pack("!BBHHBB", 1, kind, request, len(content), 0, 0) + content


class RawResponder:
    """Answers the request for `/NAME` with `answers[NAME]`, head and body, on the Unix socket `path`. A
    name in `dying` gets no END_REQUEST: the connection closes instead. What comes behind the bytes of an
    answer waits for `held[NAME]`, if there is one."""

    def __init__(self, path: Path, answers: Mapping[str, bytes], dying: Container[str] = ()) -> None:
        self.answers, self.dying = answers, dying
        self.held: dict[str, threading.Event] = {}
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        os.chmod(path, 0o666)
        self.socket.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                self._answer(connection, stream)
            except (OSError, struct.error):
                pass  # whoever asked has left

    def _answer(self, connection, stream) -> None:
        keep, params = False, b""
        while True:
            _, kind, request, size, padding, _ = struct.unpack("!BBHHBB", stream.read(8))
            content = stream.read(size)
            stream.read(padding)
            if kind == GET_VALUES:
                connection.sendall(record(10, 0))
            elif kind == BEGIN_REQUEST:
                keep, params = bool(content[2] & KEEP_CONNECTION), b""
            elif kind == PARAMS:
                params += content
            elif kind == STDIN and not content:
                name = self._name(params)
                answer = self.answers[name]
                pieces = [answer[at : at + PIECE] for at in range(0, len(answer), PIECE)]
                out = b"".join(record(STDOUT, request, piece) for piece in pieces)
                if name in self.held:
                    connection.sendall(out)
                    out = b""
                    self.held[name].wait(PATIENCE)
                if name in self.dying:
                    return connection.sendall(out)
                connection.sendall(out + record(STDOUT, request) + record(END_REQUEST, request, bytes(8)))
                if not keep:
                    return

    def _name(self, params: bytes) -> str:
        return next(name for name in self.answers if b"/" + name.encode() + b"/" in params)
