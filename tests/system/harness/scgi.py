"""An SCGI client for talking to a listener directly."""

import socket

from .fastcgi import Answer, variables
from .process import PATIENCE


def head(method: str, target: str, content_length: int, **more: str) -> bytes:
    values = [("CONTENT_LENGTH", str(content_length)), ("SCGI", "1")]
    values += variables(method, target, **more)
    block = b"".join(n.encode() + b"\0" + v.encode() + b"\0" for n, v in values)
    return b"%d:%s," % (len(block), block)


def exchange(address: str, data: bytes, timeout: float = PATIENCE) -> Answer:
    """Sends the bytes, reads to the end of file."""
    with socket.socket(socket.AF_UNIX) as peer:
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


def request(address: str, target: str, method: str = "GET", body: bytes = b"", **more) -> Answer:
    return exchange(address, head(method, target, len(body), **more) + body)
