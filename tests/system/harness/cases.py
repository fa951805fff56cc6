"""Cases of the matrix: what went wrong once between a front server, viaductd and an application. Each is a
function that fails, returns nothing, or returns why the front server cannot do it."""

import hashlib
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Callable, Mapping, Optional

from . import http
from .apps import NOT_IN_PIECES, SDK, UNPROBED
from .process import wait_for
from .tool import Tool
from .ways import CANNOT_TELL

# What these servers answer themselves to a body that they would have to pass on without its length.
CHUNKED_REFUSED = {("haproxy", "fastcgi"): 400, ("apache", "scgi"): 411, ("apache", "uwsgi"): 411}
# Applications whose /digest leaves a mark.
MARKING = (*SDK, "php", "flask")
WORKERS = 2
SIZE = 100_001
EARLY = 10 << 20
UNREAD = 12_000_000  # more than all buffers on the way hold
HEAD = b"Content-Type: text/plain\r\n"
PAGE = b"page\n" * 200
CAME = 1_500_000


@dataclass
class Site:
    front: str
    protocol: str
    kind: str
    port: int
    viaductd: object

    @property
    def way(self) -> tuple[str, str]:
        return self.front, self.protocol


def digest(body: bytes) -> str:
    """What /digest answers."""
    return f"{len(body)} {hashlib.sha256(body).hexdigest()}\n"


def nothing_left(site: Site) -> None:
    status = Tool(site.viaductd).status
    wait_for(lambda: status()["apps"][0]["active"] == 0, "nothing is left of a request")


def says_hello(site: Site) -> None:
    if site.kind in UNPROBED:
        # What was aborted holds its worker for timeouts.request, when one that waits is refused as well.
        wait_for(lambda: http.request(site.port, "/hello").status == 200, "a worker is free")
    assert http.request(site.port, "/hello").text == "hello\n"


def chunked_body(site: Site) -> Optional[str]:
    pieces = list(http.pattern(SIZE))
    reply = http.request(site.port, "/digest", "POST", body=pieces, chunked=True)
    if refusal := CHUNKED_REFUSED.get(site.way):
        assert reply.status == refusal
        return f"{site.front} answers {refusal} to a body of unknown length"
    assert reply.text == digest(b"".join(pieces))
    return None


def cut_off_body(site: Site) -> Optional[str]:
    """The application never takes it for a whole one."""
    heads = {"length": ("Content-Length", "100000"), "chunked": ("Transfer-Encoding", "chunked")}
    for name, head in heads.items():
        with http.Connection(site.port) as client:
            client.send_head("POST", f"/digest?mark=cut-{name}", [head])
            client.send_chunk(b"x" * 50_000) if name == "chunked" else client.send(b"x" * 50_000)
    nothing_left(site)
    body = b"y" * 50_000
    assert http.request(site.port, "/digest?mark=whole", "POST", body=body).text == digest(body)
    nothing_left(site)
    if site.kind in MARKING:
        assert site.viaductd.mark("whole") == "ran\n"
        assert not list(site.viaductd.marks.glob("cut-*"))
    return None


def slow_body(site: Site) -> Optional[str]:
    """As many as there are workers: others are served meanwhile."""
    body = b"x" * 1000
    with ExitStack() as stack:
        uploads = [stack.enter_context(http.Connection(site.port)) for _ in range(WORKERS)]
        for client in uploads:
            client.send_head("POST", "/digest", [("Content-Length", str(len(body)))])
            client.send(body[:1])
        for sent in (1, 2, 3):
            assert http.request(site.port, "/hello").text == "hello\n"
            for client in uploads:
                client.send(body[sent : sent + 1])
        for client in uploads:
            client.send(body[4:])
            assert client.read_reply().text == digest(body)
    return None


def slow_reader(site: Site) -> Optional[str]:
    with ExitStack() as stack:
        readers = [stack.enter_context(http.Connection(site.port, receive_buffer=4096)) for _ in range(WORKERS)]
        for reader in readers:
            reader.send_head("GET", f"/generate?bytes={UNREAD}")
        assert http.request(site.port, "/hello").text == "hello\n"
        for reader in readers:
            reader.widen()
            assert reader.read_reply(keep_body=False).sha256 == http.pattern_sha256(UNREAD)
    return None


def early_answer(site: Site) -> Optional[str]:
    """To a client that reads while it sends: HAProxy takes nothing more once it has the response."""
    says_hello(site)
    with http.Connection(site.port) as client:
        client.send_head("POST", "/early", [("Content-Length", str(EARLY))])
        sender = threading.Thread(target=_send_all, args=(client, EARLY), daemon=True)
        sender.start()
        reply = client.read_reply()
        client.shut()
        sender.join()
    says_hello(site)
    if site.kind == "fcgiwrap":
        assert reply.status == 502
        return "fcgiwrap itself answers 502 where a script does not read a large body"
    assert (reply.status, reply.text) == (200, "early\n")
    return None


def _send_all(client: http.Connection, size: int) -> None:
    try:
        for piece in http.pattern(size):
            client.send(piece)
    except OSError:
        pass  # it has the response already


def worker_dies_midway(site: Site) -> Optional[str]:
    if site.kind in NOT_IN_PIECES:
        return f"{site.kind} sends nothing before it has all"
    length = "&length=5000000" if site.kind in SDK else ""
    if reason := CANNOT_TELL[False, "length" if length else "none"].get(site.way):
        return reason
    got, broken = http.read_until_broken(site.port, f"/crash?bytes={CAME}{length}", "/hello")
    assert broken
    assert b"".join(http.pattern(CAME)).startswith(got)
    return None


# Those of a program that says its responses byte by byte.
ANSWERS = {
    "interim": b"Status: 103 Early Hints\r\nLink: </a>\r\n\r\n" + HEAD + b"\r\n" + PAGE,
    "types": b"Content-Type: text/html\r\n" + HEAD + b"\r\n" + PAGE,
    "page": HEAD + b"\r\n" + PAGE,
    "cached": HEAD + b"\r\n" + PAGE,
    "short": HEAD + b"Content-Length: 5000000\r\n\r\n" + b"x" * CAME,
    "tiny": HEAD + b"Content-Length: 5000000\r\n\r\nx",
}


def interim_response(site: Site) -> Optional[str]:
    reply = http.request(site.port, "/interim/")
    assert (reply.status, reply.body, reply.get("Link")) == (200, PAGE, None)
    return None


def double_content_type(site: Site) -> Optional[str]:
    reply = http.request(site.port, "/types/")
    assert (reply.status, reply.body, reply.all("Content-Type")) == (200, PAGE, ["text/plain"])
    return None


def head_with_body(site: Site) -> Optional[str]:
    """On one connection, so that a body would be taken for the next response."""
    with http.Connection(site.port) as client:
        for method, body in (("HEAD", b""), ("GET", PAGE)):
            client.send_head(method, "/page/")
            reply = client.read_reply(method)
            assert (reply.status, reply.body) == (200, body)
    return None


def head_and_cache(site: Site) -> Optional[str]:
    """What the cache keeps of the response to HEAD is the whole page."""
    if site.front != "nginx":
        return "only nginx has a cache here"
    if site.protocol == "http":
        return "nginx asks for the page itself where it speaks HTTP"

    def kept() -> bool:
        head = http.request(site.port, "/cached/", "HEAD")
        assert (head.status, head.body) == (200, b"")
        return head.get("X-Cache") == "HIT"

    # A client may have the head before the page is stored.
    wait_for(kept, "a response to HEAD from the cache")
    page = http.request(site.port, "/cached/")
    assert (page.status, page.body, page.get("X-Cache")) == (200, PAGE, "HIT")
    return None


def short_response(site: Site) -> Optional[str]:
    assert http.request(site.port, "/tiny/").status == 502
    if reason := CANNOT_TELL[False, "length"].get(site.way):
        return reason
    got, broken = http.read_until_broken(site.port, "/short/", "/page/")
    assert broken
    assert (b"x" * CAME).startswith(got)
    return None


Case = Callable[[Site], Optional[str]]
OF_APPLICATIONS: dict[str, Case] = {
    "chunked body": chunked_body,
    "cut-off body": cut_off_body,
    "slow body": slow_body,
    "slow reader": slow_reader,
    "early answer": early_answer,
    "worker dies midway": worker_dies_midway,
}
OF_A_PROGRAM: dict[str, Case] = {
    "interim response": interim_response,
    "double Content-Type": double_content_type,
    "HEAD with body": head_with_body,
    "HEAD and cache": head_and_cache,
    "short response": short_response,
}


def run(cases: Mapping[str, Case], site: Site, report: Callable[[str, str], None]) -> list[str]:
    """Reports (name, `ok`, `FAILED` or the reason why it cannot be) for each; what failed, with the message."""
    failed = []
    for name, case in cases.items():
        try:
            report(name, case(site) or "ok")
        except (AssertionError, OSError, http.Broken, ValueError) as error:
            report(name, "FAILED")
            failed.append(f"{name}: {type(error).__name__}: {error}")
    return failed
