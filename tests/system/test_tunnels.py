"""Requests that become tunnels (`upgrade: true`): nobody is cut for saying nothing."""

import queue
import socket
import struct

import pytest

from harness import fastcgi, http
from harness.direct import PassingNginx
from harness.raw_responder import GET_VALUES, PARAMS, STDIN, STDOUT, RawResponder, record

SWITCH = b"Status: 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


class Tunnel(RawResponder):
    """Answers 101 as soon as it has the variables, and repeats what it is told. `say()` says more."""

    def __init__(self, path) -> None:
        self.connections: queue.Queue = queue.Queue()
        super().__init__(path, {})

    def _answer(self, connection, stream) -> None:
        while True:
            _, kind, request, size, padding, _ = struct.unpack("!BBHHBB", stream.read(8))
            content = stream.read(size)
            stream.read(padding)
            if kind == GET_VALUES:
                connection.sendall(record(10, 0))
            elif kind == PARAMS and not content:
                connection.sendall(record(STDOUT, request, SWITCH))
                self.connections.put((connection, request))
            elif kind == STDIN and content:
                connection.sendall(record(STDOUT, request, b"echo " + content))

    def say(self, words: bytes) -> None:
        """In the oldest tunnel that has not been spoken in."""
        connection, request = self.connections.get(timeout=60)
        connection.sendall(record(STDOUT, request, words))


@pytest.fixture
def tunnel(viaductd, directory, stopping):
    program = Tunnel(directory / "program.sock")
    stopping.append(program)
    viaductd.settings["apps"]["web"] = {
        "connect": [f"unix:{directory}/program.sock"],
        "timeouts": {"body": "1s", "request": "5s"},
    }
    viaductd.settings["listeners"][0]["upgrade"] = True
    return program


def outlast_bodies(viaductd) -> None:
    """Returns when timeouts.body has passed twice for clients that came later."""
    for _ in range(2):
        with fastcgi.Client(viaductd.socket) as silent:
            silent.send(fastcgi.begin(1))
            silent.send(fastcgi.stream(fastcgi.PARAMS, 1, fastcgi.pairs(
                fastcgi.variables("POST", "/", CONTENT_LENGTH="10"))))
            kind, _, content = silent.read_record()
            assert kind == fastcgi.STDOUT and b"408" in content


def test_input_may_stay_open_and_silent(tunnel, viaductd):
    viaductd.start()
    with fastcgi.Client(viaductd.socket) as client:
        client.send(fastcgi.begin(1))
        client.send(fastcgi.stream(fastcgi.PARAMS, 1, fastcgi.pairs(
            fastcgi.variables("GET", "/socket", HTTP_UPGRADE="websocket"))))
        kind, _, content = client.read_record()
        assert kind == fastcgi.STDOUT and b"101" in content, content
        outlast_bodies(viaductd)
        client.send(fastcgi.record(fastcgi.STDIN, 1, b"hello"))
        assert client.read_record()[2] == b"echo hello"


@pytest.mark.parametrize("word", ["scgi", "uwsgi"])
def test_a_silent_client_of_nginx_stays(tunnel, viaductd, directory, stopping, logs, word):
    """nginx makes a tunnel of a 101 that comes by scgi_pass or uwsgi_pass to a request with Upgrade."""
    path = str(directory / "front.sock")
    listener = {"protocol": word, "address": f"unix:{path}", "mode": "0666", "app": "web", "upgrade": True}
    viaductd.settings["listeners"].append(listener)
    viaductd.start()
    front = PassingNginx(directory / "front", path, word)
    logs.append(front)
    stopping.append(front)
    front.start()
    with http.Connection(front.port) as client:
        client.send_head("GET", "/socket", [("Connection", "Upgrade"), ("Upgrade", "websocket")])
        head = client.read_head()
        assert (head.status, head.get("Upgrade")) == (101, "websocket")
        outlast_bodies(viaductd)
        tunnel.say(b"still here")
        assert client.socket.recv(10, socket.MSG_WAITALL) == b"still here"
