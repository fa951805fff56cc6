"""A uwsgi client for talking to a listener directly."""

import struct

from .fastcgi import Answer, variables
from .process import PATIENCE
from .scgi import exchange


def head(method: str, target: str, content_length: int, **more: str) -> bytes:
    values = [("CONTENT_LENGTH", str(content_length)), *variables(method, target, **more)]
    strings = [text.encode() for pair in values for text in pair]
    block = b"".join(struct.pack("<H", len(text)) + text for text in strings)
    return struct.pack("<BHB", 0, len(block), 0) + block


def request(address: str | tuple, target: str, method: str = "GET", body: bytes = b"", **more) -> Answer:
    """`answer.head` has the status line as `status`, as with the other protocols."""
    answer = exchange(address, head(method, target, len(body), **more) + body, PATIENCE)
    if answer.out.startswith(b"HTTP/1."):
        answer.out = b"Status: " + answer.out.partition(b" ")[2]
    return answer
