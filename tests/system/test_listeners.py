"""Listeners of viaductd spoken to directly, as no well-behaved front server would."""

import grp
import os
import pwd
import socket
import stat
import struct

import pytest

from harness import fastcgi, scgi
from harness.paths import ROOT
from harness.ports import reserve_port
from harness.process import descriptors, wait_for


@pytest.fixture
def daemon(viaductd):
    viaductd.app("sdk", limits={"params": "16KiB", "body": "1MiB"})
    return viaductd.start()


def get(daemon) -> bytes:
    return fastcgi.request(daemon.socket, "/hello").body


def test_answers_fastcgi_and_scgi(daemon):
    assert get(daemon) == b"hello\n"
    assert scgi.request(daemon.scgi, "/hello").body == b"hello\n"


def test_keeps_the_connection_only_when_asked(daemon):
    with fastcgi.Client(daemon.socket) as client:
        for _ in range(3):
            assert client.request("/hello", keep=True).body == b"hello\n"
        assert client.request("/hello", keep=False).body == b"hello\n"
        assert client.read_record() is None


def test_interleaved_requests_on_one_connection(daemon):
    with fastcgi.Client(daemon.socket) as client:
        ids = (7, 3, 1000, 65535)
        for number in ids:
            client.send(fastcgi.begin(number, keep=True))
        for number in ids:
            values = fastcgi.pairs(
                fastcgi.variables("POST", "/digest", CONTENT_LENGTH=str(number))
            )
            half = len(values) // 2
            client.send(fastcgi.record(fastcgi.PARAMS, number, values[:half], padding=255))
            client.send(fastcgi.record(fastcgi.PARAMS, number, values[half:]))
            client.send(fastcgi.record(fastcgi.PARAMS, number))
        for number in ids:
            client.send(fastcgi.stream(fastcgi.STDIN, number, bytes(number)))
        answers = client.read_answers(*ids)
    for number in ids:
        assert answers[number].body.startswith(b"%d " % number)
        assert (answers[number].ended, answers[number].protocol_status) == (True, 0)


def test_slow_request_does_not_hold_up_others_on_its_connection(daemon):
    with fastcgi.Client(daemon.socket) as client:
        for number, target in ((1, "/sleep?ms=800"), (2, "/hello")):
            client.send(
                fastcgi.begin(number, keep=True)
                + fastcgi.stream(
                    fastcgi.PARAMS, number, fastcgi.pairs(fastcgi.variables("GET", target))
                )
                + fastcgi.stream(fastcgi.STDIN, number, b"")
            )
        first = client.read_answers(2)
        assert first[2].body == b"hello\n"
        assert not first.get(1, fastcgi.Answer()).ended
        assert client.read_answers(1)[1].body == b"slept\n"


@pytest.mark.parametrize("model", ["threads", "fibers"])
def test_front_that_writes_everything_before_it_reads(viaductd, model):
    """Both sides write more than any window holds before either reads."""
    viaductd.app("sdk", concurrency={"model": model, "limit": 8})
    viaductd.start()
    written = size = 16 << 20
    with fastcgi.Client(viaductd.socket) as client:
        body = bytes(size)
        answer = client.request(f"/duplex?bytes={written}", "POST", body)
        assert answer.body[written:].startswith(b"%d " % size)


def test_get_values_is_answered_without_the_app(viaductd):
    viaductd.command("/nonexistent/program")
    viaductd.start()
    with fastcgi.Client(viaductd.socket) as client:
        names = [(n, "") for n in ("FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS", "OTHER")]
        client.send(fastcgi.record(fastcgi.GET_VALUES, 0, fastcgi.pairs(names)))
        kind, request, content = client.read_record()
        assert (kind, request) == (fastcgi.GET_VALUES_RESULT, 0)
        assert b"FCGI_MPXS_CONNS1" in content
        assert b"FCGI_MAX_CONNS" in content
        assert b"OTHER" not in content
        client.send(fastcgi.record(99, 0, b"?"))
        assert client.read_record() == (fastcgi.UNKNOWN_TYPE, 0, struct.pack(">B7x", 99))


def test_unknown_role_is_refused(daemon):
    with fastcgi.Client(daemon.socket) as client:
        client.send(fastcgi.begin(1, role=9, keep=True))
        answer = client.read_answers(1)[1]
        assert (answer.ended, answer.protocol_status) == (True, 3)


def test_abort_ends_the_request_and_stops_the_handler(daemon):
    with fastcgi.Client(daemon.socket) as client:
        client.send(
            fastcgi.begin(5, keep=True)
            + fastcgi.stream(
                fastcgi.PARAMS, 5, fastcgi.pairs(fastcgi.variables("GET", "/wait?mark=aborted"))
            )
            + fastcgi.stream(fastcgi.STDIN, 5, b"")
        )
        daemon.mark("aborted")
        client.send(fastcgi.record(fastcgi.ABORT, 5))
        assert client.read_answers(5)[5].ended
        daemon.mark("aborted.stopped")
        assert client.request("/hello", keep=True, identifier=5).body == b"hello\n"


MALFORMED = {
    "version": fastcgi.record(fastcgi.BEGIN, 1, bytes(8), version=2),
    "begin too short": fastcgi.record(fastcgi.BEGIN, 1, bytes(3)),
    "begin of id 0": fastcgi.begin(0),
    "management with an id": fastcgi.record(fastcgi.GET_VALUES, 1),
    "begin twice": fastcgi.begin(1) + fastcgi.begin(1),
    "name longer than its record": fastcgi.begin(1)
    + fastcgi.record(fastcgi.PARAMS, 1, b"\x7f\x00abc")
    + fastcgi.record(fastcgi.PARAMS, 1),
    "lengths near 2^31": fastcgi.begin(1)
    + fastcgi.record(fastcgi.PARAMS, 1, struct.pack(">II", 0xFFFFFFFF, 0xFFFFFFFF) + b"x" * 64),
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_bytes_close_only_that_connection(daemon, name):
    with fastcgi.Client(daemon.socket) as witness:
        assert witness.request("/hello", keep=True).body == b"hello\n"
        with fastcgi.Client(daemon.socket) as attacker:
            attacker.send(MALFORMED[name])
            assert attacker.closed_by_peer()
        assert witness.request("/hello", keep=True).body == b"hello\n"


def test_malformed_bytes_are_logged_at_a_limited_rate(daemon):
    before = len(daemon.lines())
    for _ in range(300):
        with fastcgi.Client(daemon.socket) as client:
            client.send(MALFORMED["version"])
            assert client.closed_by_peer()
    assert get(daemon) == b"hello\n"
    wait_for(lambda: len(daemon.lines()) > before, "a line about the malformed record")
    assert len(daemon.lines()) - before < 100


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"0:,",
        b"01:a,",
        b"99999999999999999999:",
        b"24:CONTENT_LENGTH\0001\0SCGI\0001\0;",
        b"13:SCGI\0001\0A\0B\0C\0,",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_malformed_scgi_is_not_answered_with_success(daemon, data):
    answer = scgi.exchange(daemon.scgi, data + b"\0" * 64)
    assert answer.out == b"" or answer.status >= 400
    assert scgi.request(daemon.scgi, "/hello").body == b"hello\n"


def test_params_at_and_over_the_limit(daemon):
    def answer(length):
        return fastcgi.request(daemon.socket, "/hello", HTTP_X_LONG="v" * length)

    assert answer(12 << 10).status == 200
    assert answer(17 << 10).status == 431
    assert get(daemon) == b"hello\n"


@pytest.mark.parametrize("size, status", [((1 << 20), 200), ((1 << 20) + 1, 413)])
def test_announced_body_at_and_over_the_limit(daemon, size, status):
    answer = fastcgi.request(daemon.socket, "/digest", method="POST", body=bytes(size))
    assert answer.status == status
    answer = scgi.request(daemon.scgi, "/digest", method="POST", body=bytes(size))
    assert answer.status == status


def test_unannounced_body_over_the_limit(daemon):
    with fastcgi.Client(daemon.socket) as client:
        answer = client.request("/digest", "POST", bytes((1 << 20) + 1), CONTENT_LENGTH="")
        assert answer.status == 413
    assert get(daemon) == b"hello\n"


def test_truncated_body_is_not_a_clean_end(daemon):
    """The front announced more than it sent: the handler must not take what came for the whole."""
    answer = fastcgi.request(daemon.socket, "/digest", method="POST", body=b"x", CONTENT_LENGTH="9")
    assert not answer.body.startswith(b"1 ")
    assert get(daemon) == b"hello\n"


def test_viaduct_variables_of_the_front_are_dropped(daemon):
    answer = fastcgi.request(
        daemon.socket, "/env", VIADUCT_DEADLINE_MS="1", VIADUCT_TRUST="x", HTTP_PROXY="evil"
    )
    text = answer.body.decode()
    assert "VIADUCT_TRUST" not in text
    assert "HTTP_PROXY" not in text
    assert "VIADUCT_DEADLINE_MS=1\n" not in text


def test_params_are_set_and_dropped_by_the_configuration(viaductd):
    viaductd.app("sdk", params={"HTTPS": "on", "HTTP_X_SECRET": None})
    viaductd.start()
    text = fastcgi.request(viaductd.socket, "/env", HTTP_X_SECRET="s", HTTP_X_TWO="2").body.decode()
    assert "HTTPS=on\n" in text
    assert "HTTP_X_TWO=2\n" in text
    assert "HTTP_X_SECRET" not in text


def test_thousands_of_connections(daemon):
    """More descriptors than select() can name (CVE-2012-6687)."""
    clients = [fastcgi.Client(daemon.socket) for _ in range(1500)]
    try:
        wait_for(lambda: descriptors(daemon.bridge()) > 1500, "all of them are accepted")
        assert clients[-1].request("/hello").body == b"hello\n"
        assert clients[0].request("/hello").body == b"hello\n"
    finally:
        for client in clients:
            client.socket.close()
    wait_for(lambda: descriptors(daemon.bridge()) < 200, "their descriptors are closed")


def test_mode_and_group_of_the_socket(viaductd):
    viaductd.app("sdk")
    viaductd.settings["listeners"][0]["mode"] = "0640"
    if ROOT:
        viaductd.settings["listeners"][0].update(owner="games", group="www-data")
    viaductd.start()
    status = os.stat(viaductd.socket)
    assert stat.S_IMODE(status.st_mode) == 0o640
    if ROOT:
        assert pwd.getpwuid(status.st_uid).pw_name == "games"
        assert grp.getgrgid(status.st_gid).gr_name == "www-data"


def scgi_get(port, source="127.0.0.1"):
    with socket.create_connection(("127.0.0.1", port), source_address=(source, 0)) as peer:
        peer.sendall(scgi.head("GET", "/hello", 0))
        received = b""
        try:
            while piece := peer.recv(4096):
                received += piece
        except ConnectionResetError:
            pass
        return received


def test_tcp_listener(viaductd):
    port = reserve_port()
    viaductd.app("sdk")
    viaductd.settings["listeners"].append(
        {"protocol": "scgi", "address": f"tcp:127.0.0.1:{port}", "app": "web"}
    )
    viaductd.start()
    assert scgi_get(port).endswith(b"\r\n\r\nhello\n")


def test_tcp_listener_serves_only_who_is_allowed(viaductd):
    port = reserve_port()
    viaductd.app("sdk")
    viaductd.settings["listeners"].append(
        {
            "protocol": "scgi",
            "address": f"tcp:127.0.0.1:{port}",
            "app": "web",
            "allow": ["127.0.0.2", "127.8.0.0/16"],
        }
    )
    viaductd.start()
    assert scgi_get(port, source="127.0.0.2").endswith(b"hello\n")
    assert scgi_get(port, source="127.8.9.9").endswith(b"hello\n")
    assert scgi_get(port, source="127.0.0.1") == b""
    assert "127.0.0.1:" in viaductd.logged("connection refused: not in allow")
