"""Programs that take one request at a time, and clients that read slowly or wait for each piece."""

import hashlib

import pytest

from harness import http
from harness.ports import reserve_port

SIZE = 12_000_000
FRONTS = ["nginx-unbuffered", "apache", "caddy", "lighttpd", "haproxy"]
PIECES = 4


@pytest.mark.parametrize("way", ["nginx-unbuffered", "http"])
def test_readers_that_never_read_hold_no_worker(viaductd, start_front, way):
    viaductd.app("php")
    port = reserve_port()
    listener = {"protocol": "http", "address": f"tcp:127.0.0.1:{port}", "app": "web"}
    viaductd.settings["listeners"].append(listener)
    viaductd.start()
    if way != "http":
        port = start_front(way, viaductd.socket).port
    readers = []
    try:
        # As many as there are slots, and more.
        for _ in range(3):
            readers.append(http.Connection(port, receive_buffer=4096))
            readers[-1].send_head("GET", f"/generate?bytes={SIZE}")
        assert http.request(port, "/hello").text == "hello\n"
        for reader in readers:
            reply = reader.read_head()
            assert (reply.status, reply.get("Content-Length")) == (200, str(SIZE))
            digest = hashlib.sha256()
            for piece in reader.body_pieces(reply):
                digest.update(piece)
            assert digest.hexdigest() == http.pattern_sha256(SIZE)
    finally:
        for reader in readers:
            reader.close()


@pytest.mark.parametrize("keys", [{}, {"buffer_responses": {"memory": 0, "file": 0}}], ids=["default", "none"])
@pytest.mark.parametrize("variant", FRONTS)
def test_what_a_program_flushes_arrives_at_once(viaductd, start_front, variant, keys):
    """The program writes a piece only once the client has had the one before."""
    viaductd.app("php", **keys)
    viaductd.start()
    front = start_front(variant, viaductd.socket)
    with http.Connection(front.port) as client:
        client.send_head("GET", f"/steps?count={PIECES}&mark=had")
        reply = client.read_head()
        assert reply.status == 200
        pieces = client.body_pieces(reply)
        got = b""
        for number in range(PIECES):
            while not got.endswith(f"piece {number}\n".encode()):
                got += next(pieces)
            (viaductd.marks / f"had{number}").touch()
        assert got == b"".join(f"piece {number}\n".encode() for number in range(PIECES))
        assert b"".join(pieces) == b""
