"""Programs that announce a Content-Length and end, or die, before they have sent so much. Applications on
the SDK do the same without viaductd."""

import subprocess
from typing import Optional

import pytest

from harness import fastcgi, http
from harness.apps import command
from harness.direct import App, cgi_environment
from harness.ways import CANNOT_TELL, WAYS, variant

HEAD = b"Content-Type: text/plain\r\nContent-Length: 5000000\r\n\r\n"
# More than the bridge receives, and front servers hold back, at once.
CAME = b"x" * 1_500_000
ANSWERS = {
    "ended": HEAD + CAME,
    "died": HEAD + CAME,
    "tiny": HEAD + b"x",
    "page": b"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\npage\n",
}
# It closes five seconds later unless another request is there, which it does not answer with a reset.
LINGERS = "apache"
# Caddy 2.6 takes every end for the end of a body whose length it was not told.
TELLS_BY_LENGTH_ONLY = "caddy"
FASTCGI = ["nginx", "nginx-close", "nginx-unbuffered", "apache", "caddy", "lighttpd", "haproxy"]


@pytest.fixture
def serve(serve_answers):
    """serve(make, protocol): the port of a front server on the way to a program that sends ANSWERS."""
    return lambda make, protocol, **keys: serve_answers(make, protocol, ANSWERS, ("died",), **keys)[0].port


def body_until_broken(port: int, target: str, behind: Optional[str] = None) -> bytes:
    got, broken = http.read_until_broken(port, target, behind)
    assert broken
    return got


@pytest.mark.parametrize("name", ["ended", "died"])
@pytest.mark.parametrize("front", FASTCGI)
def test_fastcgi_fronts_deliver_what_came_and_break_off(serve, front, name):
    port = serve(variant(front), "fastcgi")
    assert body_until_broken(port, f"/{name}/", "/page/" if front == LINGERS else None) == CAME
    assert CAME.startswith(body_until_broken(port, f"/{name}/", "/page/"))


@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
@pytest.mark.parametrize("front, protocol", list(WAYS))
def test_every_protocol(serve, front, protocol, tcp):
    if (front, protocol) in CANNOT_TELL[tcp, "length"]:
        pytest.skip(CANNOT_TELL[tcp, "length"][front, protocol])
    port = serve(WAYS[front, protocol], protocol, tcp=tcp)
    for name in ("ended", "died"):
        # Proxies of HTTP may drop the tail that they have not passed on when their upstream breaks off.
        assert CAME.startswith(body_until_broken(port, f"/{name}/", "/page/"))


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


# ---- the same of an application on the SDK, without viaductd

PATTERN = b"".join(http.pattern(len(CAME)))
LENGTHS = f"bytes={len(CAME)}&length=5000000"


@pytest.fixture(params=["threads", "fibers"])
def model(request):
    return request.param


@pytest.fixture
def application(stage, directory, stopping, logs):
    """application(protocol, model): its socket."""

    def begin(protocol, model="threads"):
        path = directory / "app.sock"
        program = command("sdk", stage)[0]
        app = App([program, f"--{protocol}", f"unix:{path}", "--model", model], directory / "app.log")
        logs.append(app)
        stopping.append(app)
        app.wait_for_socket(path)
        return path

    return begin


@pytest.fixture
def direct(application, directory, stopping, logs):
    """direct(make, protocol, model): the port of a front server that passes to the application."""

    def begin(make, protocol, model="threads"):
        server = make(directory / "front", str(application(protocol, model)))
        logs.append(server)
        stopping.append(server)
        return server.start().port

    return begin


@pytest.mark.parametrize("front", FASTCGI)
def test_direct_fastcgi_fronts_deliver_what_came_and_break_off(direct, front):
    port = direct(variant(front), "fastcgi")
    behind = "/hello" if front == LINGERS else None
    for path in ("/short", "/throw"):
        assert body_until_broken(port, f"{path}?{LENGTHS}", behind) == PATTERN
        assert PATTERN.startswith(body_until_broken(port, f"{path}?{LENGTHS}", "/hello"))
    assert http.request(port, "/hello").text == "hello\n"


@pytest.mark.parametrize("front, protocol", [way for way in WAYS if way[1] != "fastcgi"])
def test_direct_other_protocols(direct, front, protocol):
    if (front, protocol) in CANNOT_TELL[False, "length"]:
        pytest.skip(CANNOT_TELL[False, "length"][front, protocol])
    port = direct(WAYS[front, protocol], protocol)
    for path in ("/short", "/throw"):
        assert PATTERN.startswith(body_until_broken(port, f"{path}?{LENGTHS}", "/hello"))
    assert http.request(port, "/hello").text == "hello\n"


@pytest.mark.parametrize("protocol", ["fastcgi", "scgi", "uwsgi", "http"])
def test_direct_nothing_sent_yet_is_500(direct, model, protocol):
    port = direct(WAYS["nginx", protocol], protocol, model)
    for path in ("/short", "/throw"):
        assert http.request(port, f"{path}?bytes=100&length=5000000").status == 500
    assert http.request(port, "/throw?bytes=100").status == 500


@pytest.mark.parametrize("front", [name for name in FASTCGI if name != TELLS_BY_LENGTH_ONLY])
def test_direct_an_unknown_length_does_not_look_complete(direct, model, front):
    port = direct(variant(front), "fastcgi", model)
    with http.Connection(port) as client:
        client.send_head("GET", f"/throw?bytes={len(CAME)}")
        client.send_head("GET", "/hello")
        with pytest.raises((http.Broken, ConnectionError)):
            reply = client.read_reply()
            assert reply.status != 200, "it looks complete"
            raise http.Broken
    assert http.request(port, "/hello").text == "hello\n"


def test_direct_the_http_of_the_sdk(stage, directory, stopping, logs, model):
    program = command("sdk", stage)[0]
    app = App([program, "--http", "tcp:127.0.0.1:0", "--model", model], directory / "app.log")
    logs.append(app)
    stopping.append(app)
    port = app.wait_for_port()
    for path in ("/short", "/throw"):
        assert body_until_broken(port, f"{path}?{LENGTHS}") == PATTERN
        assert PATTERN.startswith(body_until_broken(port, f"{path}?{LENGTHS}", "/hello"))
        assert http.request(port, f"{path}?bytes=100&length=5000000").status == 500
    with http.Connection(port) as client:
        client.send_head("GET", f"/throw?bytes={len(CAME)}")
        with pytest.raises((http.Broken, ConnectionError)):
            client.read_reply()


@pytest.mark.parametrize("software", ["nginx/1.22.1", "Apache/2.4.57 (Debian)"])
@pytest.mark.parametrize("path", ["/short", "/throw"])
def test_direct_a_cgi_program_says_so_by_its_status(stage, path, software):
    told = cgi_environment(
        SERVER_SOFTWARE=software,
        REQUEST_METHOD="GET",
        SCRIPT_NAME="/app",
        PATH_INFO=path,
        QUERY_STRING=LENGTHS,
    )
    done = subprocess.run(command("sdk", stage)[:1], capture_output=True, env=told, timeout=60)
    assert done.returncode == 70
    assert b"the request was not answered" in done.stderr
    assert PATTERN.startswith(done.stdout.partition(b"\r\n\r\n")[2])
