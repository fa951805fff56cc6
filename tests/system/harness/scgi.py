"""An SCGI client for talking to a listener directly."""

import socket

from .fastcgi import Answer, variables
from .process import PATIENCE


def head(method: str, target: str, content_length: int, **more: str) -> bytes:
    values = [("CONTENT_LENGTH", str(content_length)), ("SCGI", "1")]
    values += variables(method, target, **more)
    block = b"".join(n.encode() + b"\0" + v.encode() + b"\0" for n, v in values)
    return b"%d:%s," % (len(block), block)


def exchange(address: str | tuple, data: bytes, timeout: float = PATIENCE) -> Answer:
    """Sends the bytes, reads to the end of file. A tuple is host and port."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as peer:
        peer.settimeout(timeout)
        peer.connect(address)
        answer = Answer(ended=True)
        try:
            peer.sendall(data)
            while piece := peer.recv(65536):
                answer.out += piece
        except ConnectionError:
            answer.ended = False
        return answer


def request(address: str | tuple, target: str, method: str = "GET", body: bytes = b"", **more) -> Answer:
    return exchange(address, head(method, target, len(body), **more) + body)
