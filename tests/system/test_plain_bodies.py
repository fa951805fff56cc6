"""Request bodies of unknown length, and those that are cut off, for programs that are no SDK applications."""

import pytest

from harness import http
from harness.apps import Direct
from harness.ports import reserve_port
from harness.process import wait_for
from harness.servers import PhpFpm, Uwsgi, connect
from harness.tool import Tool

# Workers of ours, and servers of others by every protocol that those may speak.
WORKERS = ("php", "flask", "libfcgi")
SERVERS = ("php-fpm", "php-fpm-tcp", "uwsgi", "scgi", "spawned")
# These leave a mark when they run.
MARKING = ("php", "flask", "php-fpm", "uwsgi", "scgi")


@pytest.fixture
def configure(viaductd, stage, directory, stopping):
    def start(program: str, **keys) -> None:
        if program in WORKERS:
            viaductd.app(program, **keys)
        elif program.startswith("php-fpm"):
            where = "tcp" if program.endswith("-tcp") else "unix"
            server = PhpFpm(stage, directory, viaductd.marks, where=where)
            stopping.append(server)
            connect(viaductd, server.address, **server.keys, **keys)
        elif program == "spawned":
            server = Direct("libfcgi", stage, directory)
            stopping.append(server)
            connect(viaductd, f"unix:{server.address}", **keys)
        else:
            server = Uwsgi(program, stage, directory, viaductd.marks)
            stopping.append(server)
            connect(viaductd, server.address, protocol=program, **keys)

    return start


@pytest.fixture(params=["http", "caddy", "nginx-unbuffered"])
def start(request, viaductd, start_front):
    """Starts viaductd and what the clients talk to; the port of that."""

    def started() -> int:
        if request.param != "http":
            viaductd.start()
            return start_front(request.param, viaductd.socket).port
        port = reserve_port()
        routes = [{"path": "/", "mount": True, "app": "web"}]  # the path belongs into PATH_INFO
        viaductd.settings["listeners"].append({"protocol": "http", "address": f"tcp:127.0.0.1:{port}", "routes": routes})
        viaductd.start()
        return port

    return started


@pytest.mark.parametrize("buffering", ["auto", False])
@pytest.mark.parametrize("program", [*WORKERS, *SERVERS])
def test_bodies_of_unknown_length_arrive_whole(configure, start, program, buffering):
    configure(program, buffer_requests=buffering)
    port = start()
    for size in (0, 1, 70_000, 300_000):
        reply = http.request(port, "/digest", "POST", body=list(http.pattern(size)), chunked=True)
        assert (reply.status, reply.text) == (200, f"{size} {http.pattern_sha256(size)}\n")


@pytest.mark.parametrize("program", MARKING)
def test_a_body_that_is_cut_off_never_reaches_the_program(viaductd, configure, start, program):
    configure(program)
    port = start()
    status = Tool(viaductd).status
    for number, head in enumerate([("Transfer-Encoding", "chunked"), ("Content-Length", "100000")]):
        with http.Connection(port) as client:
            client.send_head("POST", f"/digest?mark=cut{number}", [head])
            client.send_chunk(b"x" * 50_000) if number == 0 else client.send(b"x" * 50_000)
            wait_for(lambda: status()["apps"][0]["requests"] > 2 * number, "the request to arrive")
        wait_for(lambda: status()["apps"][0]["aborted"] > number, "the client's leaving to be seen")
        size = 50_000
        reply = http.request(port, f"/digest?mark=whole{number}", "POST", body=list(http.pattern(size)), chunked=True)
        assert reply.text == f"{size} {http.pattern_sha256(size)}\n"
        assert viaductd.mark(f"whole{number}") == "ran\n"
    assert not list(viaductd.marks.glob("cut*"))
