"""What a client sees when something fails: one test or more for each row of that table."""

import contextlib
import threading
import time

import pytest

from harness import fastcgi, http
from harness.process import accepts, alive, wait_for
from harness.tool import Tool


class Background:
    """A FastCGI request on a thread of its own."""

    def __init__(self, daemon, target, **options) -> None:
        self.answer = None
        self.thread = threading.Thread(target=self._run, args=(daemon, target, options), daemon=True)
        self.thread.start()

    def _run(self, daemon, target, options) -> None:
        self.answer = fastcgi.request(daemon.socket, target, **options)

    def result(self) -> fastcgi.Answer:
        self.thread.join(30)
        assert self.answer is not None, "no answer within 30 s"
        return self.answer


@pytest.fixture
def daemon(viaductd):
    viaductd.app("sdk")
    return viaductd


def retry_after(answer) -> int:
    assert answer.status == 503
    return int(answer.head["retry-after"])


def test_no_worker_ready_is_503_with_retry_after(viaductd):
    viaductd.command("/bin/false")
    viaductd.start()
    assert retry_after(fastcgi.request(viaductd.socket, "/hello")) >= 1


def test_requests_wait_for_a_starting_worker(viaductd):
    """A worker that takes a second to begin: requests queue and are answered."""
    probe = viaductd.app("sdk")["command"]
    viaductd.settings["apps"]["web"]["command"] = ["/bin/sh", "-c", f"sleep 1; exec {probe[0]}"]
    viaductd.start(ready=False)
    wait_for(lambda: accepts(viaductd.socket), "the socket has a listener")
    assert Background(viaductd, "/hello").result().body == b"hello\n"


@contextlib.contextmanager
def busy(daemon):
    """The only place of the worker is taken until the end."""
    with fastcgi.Client(daemon.socket) as client:
        client.send(asking("/wait?mark=busy"))
        daemon.mark("busy")
        yield


def asking(target: str) -> bytes:
    return (
        fastcgi.begin(1)
        + fastcgi.stream(fastcgi.PARAMS, 1, fastcgi.pairs(fastcgi.variables("GET", target)))
        + fastcgi.stream(fastcgi.STDIN, 1, b"")
    )


def wait_for_queue(daemon, length: int) -> None:
    wait_for(
        lambda: Tool(daemon).status()["apps"][0]["queued"] == length, f"{length} requests are queued"
    )


def test_full_queue_is_503_with_retry_after(daemon):
    daemon.app(
        "sdk",
        concurrency={"model": "threads", "limit": 1},
        limits={"queue": 1},
        timeouts={"queue": "60s"},
    )
    daemon.start()
    with busy(daemon):
        queued = Background(daemon, "/sleep?ms=1")
        wait_for_queue(daemon, 1)
        assert retry_after(fastcgi.request(daemon.socket, "/hello")) >= 1
    assert queued.result().body == b"slept\n"


def test_waiting_too_long_in_the_queue_is_503(daemon):
    daemon.app(
        "sdk", concurrency={"model": "threads", "limit": 1}, timeouts={"queue": "300ms"}
    )
    daemon.start()
    with busy(daemon):
        begin = time.monotonic()
        assert retry_after(fastcgi.request(daemon.socket, "/once?mark=never")) >= 1
        assert 0.2 < time.monotonic() - begin < 25
    assert Background(daemon, "/hello").result().body == b"hello\n"
    assert not (daemon.marks / "never").exists()


def test_client_gone_while_queued_is_never_run(daemon):
    daemon.app(
        "sdk", concurrency={"model": "threads", "limit": 1}, timeouts={"queue": "60s"}
    )
    daemon.start()
    with busy(daemon):
        with fastcgi.Client(daemon.socket) as client:
            client.send(asking("/hang?mark=never"))
            wait_for_queue(daemon, 1)
        wait_for_queue(daemon, 0)
    # It was next in line; were it run, it would hang and hold up this one.
    assert Background(daemon, "/hello").result().body == b"hello\n"
    assert not (daemon.marks / "never").exists()


@pytest.mark.parametrize("method, body", [("GET", b""), ("PUT", b"x" * 1000)])
def test_idempotent_request_is_retried_after_a_crash(daemon, method, body):
    daemon.start()
    first = daemon.workers()
    answer = fastcgi.request(daemon.socket, "/once?mark=crashed", method=method, body=body)
    assert answer.status == 200
    assert int(answer.body) not in first


def test_other_requests_are_502_after_a_crash(daemon):
    daemon.start()
    assert fastcgi.request(daemon.socket, "/crash", method="POST", body=b"x").status == 502
    daemon.logged("SIGABRT")
    assert fastcgi.request(daemon.socket, "/hello").body == b"hello\n"


def test_retry_never_is_502_at_once(daemon):
    daemon.app("sdk", retry="never")
    daemon.start()
    assert fastcgi.request(daemon.socket, "/once?mark=crashed").status == 502


def test_a_request_that_kills_twice_is_502(daemon):
    daemon.app("sdk", workers=2)
    daemon.start()
    assert fastcgi.request(daemon.socket, "/crash").status == 502


@pytest.mark.parametrize("gathered, status", [(False, 502), (True, 200)])
def test_put_with_a_body_larger_than_the_retry_buffer(daemon, gathered, status):
    """What streams is held up to there, what was gathered is held whole."""
    daemon.app("sdk", limits={"retry_buffer": "4KiB"}, buffer_requests=gathered)
    daemon.start()
    answer = fastcgi.request(
        daemon.socket, "/once?mark=crashed", method="PUT", body=bytes(100_000)
    )
    assert answer.status == status


# Caddy 2.6 takes every end for the end of the body, and SCGI has no framing to break: there only a
# Content-Length tells that something is missing, and mod_proxy_scgi does not even pass that on.
@pytest.mark.parametrize("size", [100_000, 3_000_000])
@pytest.mark.parametrize(
    "variant, length",
    [
        *((v, "") for v in ("nginx", "nginx-close", "nginx-unbuffered", "apache", "haproxy")),
        *((v, "&length=5000000") for v in ("nginx", "nginx-scgi", "apache", "caddy")),
    ],
)
def test_crash_inside_the_response_never_looks_complete(daemon, start_front, variant, length, size):
    daemon.start()
    front = start_front(variant, daemon.scgi if "scgi" in variant else daemon.socket)
    with pytest.raises(http.Broken):
        http.request(front.port, f"/crash?bytes={size}{length}")


def test_crash_inside_the_response_on_a_multiplexed_connection(daemon):
    daemon.app("sdk", workers=2)
    daemon.start()
    with fastcgi.Client(daemon.socket) as client:
        for number, target in ((1, "/sleep?ms=700"), (2, "/crash?bytes=100000")):
            values = fastcgi.pairs(fastcgi.variables("GET", target))
            client.send(
                fastcgi.begin(number, keep=True)
                + fastcgi.stream(fastcgi.PARAMS, number, values)
                + fastcgi.stream(fastcgi.STDIN, number, b"")
            )
        ended, out = set(), {1: b"", 2: b""}
        with pytest.raises(ValueError, match="record version 0"):
            while True:
                kind, request, content = client.read_record()
                if kind == fastcgi.END:
                    ended.add(request)
                elif kind == fastcgi.STDOUT:
                    out[request] += content
    # The connection breaks when the other request has ended.
    assert ended == {1}
    assert out[1].endswith(b"slept\n") or out[1].startswith(b"Status: 502")


def test_request_timeout_is_504_and_frees_the_worker(daemon):
    daemon.app("sdk", timeouts={"request": "500ms"})
    daemon.start()
    begin = time.monotonic()
    assert fastcgi.request(daemon.socket, "/wait?mark=first").status == 504  # would go on for ever
    assert 0.4 < time.monotonic() - begin < 25
    fastcgi.request(daemon.socket, "/wait?mark=slow")
    daemon.mark("slow.stopped")
    assert fastcgi.request(daemon.socket, "/hello").body == b"hello\n"


def test_handler_that_ignores_stop_gets_its_worker_replaced(daemon):
    daemon.app("sdk", timeouts={"request": "300ms", "abort": "300ms", "stop": "1s"})
    daemon.start()
    first = daemon.workers()[0]
    assert fastcgi.request(daemon.socket, "/hang?mark=hanging").status == 504
    wait_for(lambda: not alive(first), "the stuck worker is gone")
    assert fastcgi.request(daemon.socket, "/hello").body == b"hello\n"


@pytest.mark.parametrize("kind", ["libfcgi", "perl", "php"])
def test_plain_worker_that_hangs_is_replaced(viaductd, kind):
    viaductd.app(kind, timeouts={"request": "300ms", "abort": "300ms", "stop": "1s"})
    viaductd.start()
    first = viaductd.workers()[0]
    assert fastcgi.request(viaductd.socket, "/hang?mark=hanging").status == 504
    wait_for(lambda: not alive(first), "the stuck worker is gone")
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"


def test_stall_breaks_the_response(daemon, start_front):
    daemon.app("sdk", timeouts={"stall": "500ms", "abort": "1s"})
    daemon.start()
    front = start_front("nginx-unbuffered", daemon.socket)
    with pytest.raises(http.Broken):
        http.request(front.port, "/stall?bytes=100000")
    assert http.request(front.port, "/hello").text == "hello\n"


def test_exception_is_500(daemon):
    daemon.start()
    assert fastcgi.request(daemon.socket, "/throw").status == 500
    daemon.logged("thrown on purpose")
    assert fastcgi.request(daemon.socket, "/hello").body == b"hello\n"


def test_request_timeout_ends_with_the_head(daemon, start_front):
    """A client that takes its time over a long answer is not cut off."""
    daemon.app("sdk", timeouts={"request": "500ms"})
    daemon.start()
    front = start_front("nginx-unbuffered", daemon.socket)
    size = 24 << 20
    with http.Connection(front.port, receive_buffer=4096) as slow:
        slow.send_head("GET", f"/generate?bytes={size}")
        head = slow.read_head()
        time.sleep(1.5)  # longer than timeouts.request, with the handler waiting to write
        assert sum(len(piece) for piece in slow.body_pieces(head)) == size


def test_timeout_of_zero_is_none(daemon):
    daemon.app("sdk", timeouts={"request": 0})
    daemon.start()
    assert fastcgi.request(daemon.socket, "/sleep?ms=300").body == b"slept\n"
