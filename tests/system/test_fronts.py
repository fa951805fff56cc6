"""Requests through the real front servers, viaductd and an application on the SDK."""

import threading

import pytest

from harness import http
from harness.load import assert_clean

MAIN = ["nginx", "nginx-close", "nginx-unbuffered", "nginx-scgi", "apache", "apache-scgi", "caddy"]
EVERY = [*MAIN, "lighttpd", "lighttpd-scgi", "haproxy"]
MIB = 1 << 20


def site(viaductd, start_front, variant, model="fibers", **keys):
    keys.setdefault("limits", {"body": "256MiB"})
    viaductd.app("sdk", concurrency={"model": model, "limit": 256}, **keys)
    viaductd.start()
    return start_front(variant, viaductd.scgi if "scgi" in variant else viaductd.socket)


@pytest.fixture(params=MAIN)
def front(request, viaductd, start_front):
    return site(viaductd, start_front, request.param)


@pytest.fixture(params=EVERY)
def any_front(request, viaductd, start_front):
    return site(viaductd, start_front, request.param)


def test_get_and_post(any_front):
    reply = http.request(any_front.port, "/hello")
    assert (reply.status, reply.text) == (200, "hello\n")
    size = 300_001
    body = b"".join(http.pattern(size))
    reply = http.request(any_front.port, "/digest", "POST", body=body)
    assert reply.text == f"{size} {http.pattern_sha256(size)}\n"


def test_many_requests_on_one_connection(any_front):
    with http.Connection(any_front.port) as client:
        for size in (0, 1, 65499, 65500, 65535, 65536, 99000, 131000):
            client.send_head("POST", "/digest", [("Content-Length", str(size))])
            for piece in http.pattern(size):
                client.send(piece)
            assert client.read_reply().text == f"{size} {http.pattern_sha256(size)}\n"
            client.send_head("GET", "/hello")
            assert client.read_reply().text == "hello\n"


def test_head_has_length_and_no_body(any_front):
    reply = http.request(any_front.port, "/generate?bytes=1000", "HEAD")
    assert (reply.status, reply.body) == (200, b"")
    # Apache drops the length of an answer to HEAD, viaductd or not.
    assert reply.get("Content-Length") == (None if any_front.name == "apache" else "1000")


def test_head_of_a_handler_that_writes_has_no_body(front):
    with http.Connection(front.port) as client:
        client.send_head("HEAD", "/hello")
        assert client.read_reply("HEAD").status == 200
        client.send_head("GET", "/hello")
        assert client.read_reply().text == "hello\n"


def test_chunked_upload(front):
    size = 200_000
    reply = http.request(
        front.port, "/digest", "POST", body=list(http.pattern(size)), chunked=True
    )
    if front.name == "apache" and front.scgi:
        assert reply.status == 411  # mod_proxy_scgi does not take them
    else:
        assert reply.text == f"{size} {http.pattern_sha256(size)}\n"


def test_large_bodies_both_ways(front):
    size = 100 * MIB
    upload = http.request(
        front.port,
        "/digest",
        "POST",
        headers=[("Content-Length", str(size))],
        body=http.pattern(size),
        timeout=120,
    )
    assert upload.text == f"{size} {http.pattern_sha256(size)}\n"
    download = http.request(front.port, f"/generate?bytes={size}", keep_body=False, timeout=120)
    assert (download.length, download.sha256) == (size, http.pattern_sha256(size))


def test_download_of_unknown_length(front):
    size = 3 * MIB + 17
    reply = http.request(front.port, f"/generate?bytes={size}&length=0", keep_body=False)
    assert (reply.length, reply.sha256) == (size, http.pattern_sha256(size))


@pytest.mark.parametrize("code", [201, 204, 304, 400, 404, 500, 503])
def test_status_and_headers_pass(front, code):
    reply = http.request(front.port, f"/status?code={code}")
    assert reply.status == code
    assert reply.get("X-Test") == "yes"
    if code in (204, 304):
        assert reply.body == b""


def test_duplicate_set_cookie_passes(any_front):
    assert http.request(any_front.port, "/cookies").all("Set-Cookie") == ["a=1", "b=2"]


def test_location_alone_is_a_redirect(any_front):
    reply = http.request(any_front.port, "/redirect")
    assert (reply.status, reply.get("Location")) == (302, "http://viaduct.test/hello")


@pytest.mark.parametrize(
    "sent, decoded",
    [
        ("/env/%C3%BC/%E2%82%AC", "/env/ü/€"),
        ("/env/a%20b%25c", "/env/a b%c"),
        ("/env/semi;colon=1,2", "/env/semi;colon=1,2"),
        ("/env/plus+sign%2B", "/env/plus+sign+"),
    ],
)
def test_encoded_and_unicode_paths(front, sent, decoded):
    variables = http.request(front.port, sent + "?q=%C3%BC").variables()
    assert variables["REQUEST_URI"] == sent + "?q=%C3%BC"
    assert variables["path"] == decoded
    assert variables["QUERY_STRING"] == "q=%C3%BC"


def test_variables_are_those_of_the_request(front):
    headers = [("Host", "shop.test"), ("Cookie", "k=v"), ("X-Two", "2"), ("Proxy", "evil")]
    variables = http.request(front.port, "/env?a=1", headers=headers).variables()
    expected = {
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": "/env?a=1",
        "QUERY_STRING": "a=1",
        "HTTP_HOST": "shop.test",
        "HTTP_COOKIE": "k=v",
        "HTTP_X_TWO": "2",
        "REMOTE_ADDR": "127.0.0.1",
        "path": "/env",
    }
    assert {name: variables.get(name) for name in expected} == expected
    assert "HTTP_PROXY" not in variables


def test_repeated_cookies_become_one(viaductd, start_front):
    front = site(viaductd, start_front, "nginx")
    headers = [("Cookie", "a=1"), ("Cookie", "b=2")]
    assert http.request(front.port, "/env", headers=headers).variables()["HTTP_COOKIE"] == "a=1; b=2"


def test_thirty_kib_of_headers(front):
    values = {f"X-Big-{i}": f"{i}" * 3840 for i in range(8)}
    variables = http.request(front.port, "/env", headers=list(values.items())).variables()
    got = {name[7:].lower(): value for name, value in variables.items() if name.startswith("header:")}
    assert {name.lower(): got.get(name.lower()) for name in values} == {
        name.lower(): value for name, value in values.items()
    }


def test_early_answer_to_an_upload(front):
    body = b"".join(http.pattern(2 * MIB))
    reply = http.request(front.port, "/early", "POST", body=body)
    assert (reply.status, reply.text) == (200, "early\n")
    assert http.request(front.port, "/hello").text == "hello\n"


@pytest.mark.parametrize("model", ["threads", "fibers"])
@pytest.mark.parametrize("variant", MAIN)
def test_client_gone_reaches_the_writing_handler(viaductd, start_front, variant, model):
    front = site(viaductd, start_front, variant, model)
    with http.Connection(front.port) as client:
        client.send_head("GET", "/endless?mark=gone")
        pieces = client.body_pieces(client.read_head())
        got = 0
        while got < MIB:
            got += len(next(pieces))
    assert viaductd.mark("gone") == "write failed\n"


@pytest.mark.parametrize("model", ["threads", "fibers"])
def test_client_gone_stops_the_waiting_handler(viaductd, start_front, model):
    front = site(viaductd, start_front, "nginx", model)
    with http.Connection(front.port) as client:
        client.send_head("GET", "/wait?mark=waiting")
        viaductd.mark("waiting")
    assert viaductd.mark("waiting.stopped") == "stopped\n"


@pytest.mark.parametrize("variant", ["nginx", "nginx-scgi", "apache", "caddy"])
def test_two_hundred_slow_requests_at_once(viaductd, start_front, start_load, variant):
    front = site(viaductd, start_front, variant)
    load = start_load(
        front.port, concurrency=200, target="/sleep?ms=1000", expect="slept\n", most=200
    )
    report = load.wait(60)
    assert_clean(report)
    assert report["requests"] == 200
    # One after another they would take 200 seconds, by eight threads 25.
    assert report["seconds"] < 6


def test_diagnostics_reach_the_log(viaductd, start_front):
    front = site(viaductd, start_front, "nginx")
    assert http.request(front.port, "/stderr?text=marked").text == "reported\n"
    for text in ("marked of the process", "marked of the request"):
        line = viaductd.logged(text)
        assert "app=web" in line
        assert f"pid={viaductd.workers()[0]}" in line


@pytest.mark.parametrize("variant", ["apache", "caddy"])
@pytest.mark.parametrize("model", ["threads", "fibers"])
def test_writing_before_reading_does_not_deadlock(viaductd, start_front, variant, model):
    """The handler writes more than every buffer holds before it reads; the front server writes on.
    (nginx stops sending the body once it has passed on the head of the response.)"""
    front = site(viaductd, start_front, variant, model)
    written, size = 8 * MIB, 16 * MIB
    with http.Connection(front.port) as client:
        client.send_head("POST", f"/duplex?bytes={written}", [("Content-Length", str(size))])
        sender = threading.Thread(target=lambda: [client.send(p) for p in http.pattern(size)])
        sender.start()
        reply = client.read_reply()
        sender.join()
    assert reply.body[written:].decode() == f"{size} {http.pattern_sha256(size)}\n"
