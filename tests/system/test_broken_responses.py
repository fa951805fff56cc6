"""Responses of unknown length that fail midway: what clients of each front server see, over Unix sockets and
TCP; and beside other requests of the same connection."""

import threading

import pytest

from harness import http
from harness.direct import PassingNginx
from harness.process import wait_for
from harness.tool import Tool
from harness.ways import CANNOT_TELL, WAYS, variant

HEAD = b"Content-Type: text/plain\r\n"
SIZES = {"small": 20_000, "large": 1_500_000}
ANSWERS = {
    **{name: HEAD + b"\r\n" + b"x" * size for name, size in SIZES.items()},
    "announced": HEAD + b"Content-Length: 40000\r\n\r\n" + b"x" * 20_000,
    "ended": HEAD + b"Content-Length: 40000\r\n\r\n" + b"x" * 20_000,
    "beside": HEAD + b"\r\n" + b"y" * 3000,
    "page": HEAD + b"Content-Length: 5\r\n\r\npage\n",
}
DYING = ("small", "large", "announced")
DROP = {"head_body": "drop"}


def way(front: str, protocol: str):
    """With buffers of a few KiB, so that a client has the head of the response before it fails."""
    if (front, protocol) == ("nginx", "scgi"):
        return lambda directory, upstream: PassingNginx(directory, upstream, "scgi")
    return WAYS[front, protocol]


@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
@pytest.mark.parametrize("front, protocol", list(WAYS))
def test_length_unknown(serve_answers, front, protocol, tcp):
    server, program = serve_answers(way(front, protocol), protocol, ANSWERS, DYING, tcp)
    for name, size in SIZES.items():
        program.held[name] = threading.Event()
        got, broken = b"", False
        with http.Connection(server.port) as client:
            client.send_head("GET", f"/{name}/")
            client.send_head("GET", "/page/")
            reply = client.read_head()
            assert reply.status == 200
            program.held[name].set()
            try:
                for piece in client.body_pieces(reply):
                    got += piece
            except (http.Broken, ConnectionError):
                broken = True
        if (tcp, front, protocol) != (True, "apache", "uwsgi"):  # at times
            assert broken == ((front, protocol) not in CANNOT_TELL[tcp, "none"]), name
        assert (b"x" * size).startswith(got)


@pytest.mark.parametrize("name", ["small", "announced", "ended"])
def test_multiplexed_by_haproxy(serve_answers, viaductd, name):
    """The client of the broken response sees that it is; those of the others, on the same connection, get
    theirs whole."""
    server, program = serve_answers(variant("haproxy-multiplexed"), "fastcgi", ANSWERS, DYING, **DROP)
    program.held["beside"] = program.held[name] = threading.Event()
    others = [http.Connection(server.port) for _ in range(3)]
    try:
        for client in others:
            client.send_head("GET", "/beside/")
        replies = [client.read_head() for client in others]
        with http.Connection(server.port) as client:
            client.send_head("GET", f"/{name}/")
            reply = client.read_head()
            assert reply.status == 200
            assert Tool(viaductd).status()["connections"] == 1
            got = b""
            program.held[name].set()
            with pytest.raises((http.Broken, ConnectionError)):
                for piece in client.body_pieces(reply):
                    got += piece
            assert got == b"x" * 20_000
        for client, reply in zip(others, replies):
            assert b"".join(client.body_pieces(reply)) == b"y" * 3000
    finally:
        for client in others:
            client.close()
    assert http.request(server.port, "/page/").text == "page\n"


def test_multiplexed_beside_a_request_that_goes_on(serve_answers, viaductd):
    """The broken response waits for it; a client that leaves meanwhile leaves the connection whole."""
    server, program = serve_answers(variant("haproxy-multiplexed"), "fastcgi", ANSWERS, DYING, **DROP)
    program.held["beside"] = threading.Event()
    active = lambda: Tool(viaductd).status()["apps"][0]["active"]  # noqa: E731
    with http.Connection(server.port) as other:
        other.send_head("GET", "/beside/")
        reply = other.read_head()
        with http.Connection(server.port) as client:
            client.send_head("GET", "/small/")
            client.read_head()
            viaductd.logged("request lost app=web")
            wait_for(lambda: active() == 1, "the bridge is done with it")
        assert http.request(server.port, "/page/").text == "page\n"
        program.held["beside"].set()
        assert b"".join(other.body_pieces(reply)) == b"y" * 3000
