"""What becomes of the body that a program sends in answer to HEAD."""

import pytest

from harness import fastcgi, http
from harness.direct import CachingNginx
from harness.process import wait_for
from harness.ways import WAYS

BODY = b"page\n" * 200
TYPE = b"Content-Type: text/plain\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
ANSWERS = {
    "measured": TYPE + LENGTH + b"\r\n" + BODY,
    "unmeasured": TYPE + b"\r\n" + BODY,
    "bodiless": TYPE + LENGTH + b"\r\n",
}


@pytest.fixture
def serve(serve_answers):
    """serve(make, protocol): the port of a front server on the way to a program that sends ANSWERS."""
    return lambda make, protocol, **keys: serve_answers(make, protocol, ANSWERS, **keys)[0].port


@pytest.mark.parametrize("protocol", ["fastcgi", "scgi", "uwsgi"])
def test_the_cache_of_nginx_keeps_the_page(serve, protocol):
    port = serve(lambda d, socket: CachingNginx(d, socket, protocol), protocol)
    for target in ("/measured/", "/unmeasured/"):

        def kept(target=target) -> bool:
            head = http.request(port, target, "HEAD")
            assert (head.status, head.body) == (200, b"")
            return head.get("X-Cache") == "HIT"

        # A client may have the head before the page is stored.
        wait_for(kept, "a response to HEAD from the cache")
        page = http.request(port, target)
        assert (page.status, page.body) == (200, BODY), target
        assert page.get("X-Cache") == "HIT", target


@pytest.mark.parametrize("front, protocol", list(WAYS))
def test_clients_see_a_head_and_no_body(serve, front, protocol):
    """On one connection, so that a body would be taken for the next response."""
    drop = {"head_body": "drop"} if (front, protocol) == ("haproxy", "fastcgi") else {}
    with http.Connection(serve(WAYS[front, protocol], protocol, **drop)) as client:
        for name in ANSWERS:
            client.send_head("HEAD", f"/{name}/")
            assert client.read_reply("HEAD").status == 200, name
            client.send_head("GET", "/measured/")
            assert client.read_reply().body == BODY


def test_haproxy_is_answered_without_a_body_by_the_bridge_too(viaductd, start_front):
    """The reason why its listener has `head_body: drop`: a body would become 502."""
    viaductd.settings["listeners"][0].update(head_body="drop", routes=[{"path": "/app", "app": "web"}])
    del viaductd.settings["listeners"][0]["app"]
    viaductd.command("/bin/false")
    viaductd.start()
    port = start_front("haproxy", viaductd.socket).port
    assert http.request(port, "/nowhere", "HEAD").status == 404
    assert http.request(port, "/app", "HEAD").status == 503


def test_answers_of_the_bridge_have_a_body_where_the_front_keeps_them(viaductd):
    viaductd.command("/bin/false")
    viaductd.start()
    answer = fastcgi.request(viaductd.socket, "/", method="HEAD")
    assert answer.status == 503
    assert len(answer.body) == int(answer.head["content-length"])
