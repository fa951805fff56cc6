"""Programs that announce a Content-Length and end, or die, before they have sent so much."""

import pytest

from harness import fastcgi, http
from harness.fronts import VARIANTS
from harness.raw_responder import RawResponder
from harness.ways import WAYS

HEAD = b"Content-Type: text/plain\r\nContent-Length: 5000000\r\n\r\n"
# More than the bridge receives, and front servers hold back, at once.
CAME = b"x" * 1_500_000
ANSWERS = {
    "ended": HEAD + CAME,
    "died": HEAD + CAME,
    "tiny": HEAD + b"x",
    "page": b"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\npage\n",
}
# Over a Unix socket these take end of file for a good end, as conf/viaduct.yaml says of listeners for scgi.
CANNOT_TELL = {(front, protocol) for front in ("apache", "lighttpd") for protocol in ("scgi", "uwsgi")}
CANNOT_TELL.add(("lighttpd", "http"))
FASTCGI = ["nginx", "nginx-close", "nginx-unbuffered", "apache", "caddy", "lighttpd", "haproxy"]


def variant(name):
    kind, options = VARIANTS[name]
    return lambda directory, upstream: kind(directory, upstream, **options)


@pytest.fixture
def serve(viaductd, directory, stopping, logs):
    """serve(make, protocol): the port of a front server on the way to a program that sends ANSWERS."""

    def begin(make, protocol):
        program = RawResponder(directory / "program.sock", ANSWERS)
        program.dying = ("died",)
        stopping.append(program)
        viaductd.settings["apps"]["web"] = {"connect": [f"unix:{directory}/program.sock"]}
        socket = str(directory / "front.sock")
        viaductd.settings["listeners"].append(
            {"protocol": protocol, "address": f"unix:{socket}", "mode": "0666", "app": "web"}
        )
        viaductd.start()
        server = make(directory / "front", socket)
        logs.append(server)
        stopping.append(server)
        return server.start().port

    return begin


def body_until_broken(port: int, name: str) -> bytes:
    """What arrives before the client sees that the response is broken. The next request is there
    already: its response must not fill the gap."""
    got = b""
    with http.Connection(port) as client:
        client.send_head("GET", f"/{name}/")
        client.send_head("GET", "/page/")
        reply = client.read_head()
        assert reply.status == 200
        with pytest.raises((http.Broken, ConnectionError)):
            for piece in client.body_pieces(reply):
                got += piece
    return got


@pytest.mark.parametrize("name", ["ended", "died"])
@pytest.mark.parametrize("front", FASTCGI)
def test_fastcgi_fronts_deliver_what_came_and_break_off(serve, front, name):
    assert body_until_broken(serve(variant(front), "fastcgi"), name) == CAME


@pytest.mark.parametrize("front, protocol", [way for way in WAYS if way[1] != "fastcgi"])
def test_other_protocols(serve, front, protocol):
    if (front, protocol) in CANNOT_TELL:
        pytest.skip("it takes the end of file on a Unix socket for a good end")
    # Proxies of HTTP may drop the tail that they have not passed on when their upstream breaks off.
    assert CAME.startswith(body_until_broken(serve(WAYS[front, protocol], protocol), "ended"))


@pytest.mark.parametrize("front, protocol", list(WAYS))
def test_nothing_sent_yet_is_502(serve, front, protocol):
    """The bridge has all of it before any byte goes out."""
    port = serve(WAYS[front, protocol], protocol)
    assert http.request(port, "/tiny/").status == 502
    assert http.request(port, "/page/").text == "page\n"


def test_it_is_said_in_the_log(serve, viaductd):
    port = serve(variant("nginx"), "fastcgi")
    http.request(port, "/tiny/")
    viaductd.logged("response is shorter than its Content-Length")
    assert "announced=5000000 came=1" in viaductd.text()


def test_unknown_front_gets_a_broken_record(serve, viaductd):
    serve(variant("nginx"), "fastcgi")
    with pytest.raises(ValueError, match="record version 0"):
        fastcgi.request(viaductd.socket, "/ended/")
