"""The site files in conf/, each with a plain FastCGI program behind it and no viaductd between: what
fails here is not viaductd's fault."""

import pytest

from harness import http
from harness.apps import Direct

VARIANTS = ["nginx", "nginx-close", "nginx-unbuffered", "apache", "caddy", "lighttpd", "haproxy"]


@pytest.fixture(params=VARIANTS)
def front(request, stage, directory, start_front, stopping):
    # HAProxy keeps a connection, and with it a process, and sends another client's request elsewhere.
    app = Direct("libfcgi", stage, directory, processes=2)
    stopping.append(app)
    return start_front(request.param, app.address)


def test_pages_arrive(front):
    reply = http.request(front.port, "/hello")
    assert (reply.status, reply.text) == (200, "hello\n")
    assert http.request(front.port, "/nowhere").status == 404


def test_bodies_arrive(front):
    size = 300_000
    body = b"".join(http.pattern(size))
    assert http.request(front.port, "/digest", "POST", body=body).text == f"{size} {http.pattern_sha256(size)}\n"


def test_variables_of_cgi_are_complete(front):
    reply = http.request(
        front.port,
        "/env?a=%20b&c",
        headers=[("Host", "shop.test"), ("Cookie", "k=v"), ("X-Two", "2"), ("Proxy", "evil")],
    )
    variables = reply.variables()
    expected = {
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": "/env?a=%20b&c",
        "QUERY_STRING": "a=%20b&c",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "shop.test",
        "HTTP_COOKIE": "k=v",
        "HTTP_X_TWO": "2",
        "PATH_INFO": "/env",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "shop.test",
    }
    assert {name: variables.get(name) for name in expected} == expected
    assert variables.get("SCRIPT_NAME", "") == ""
    assert variables.get("HTTP_PROXY", "") == ""
    assert int(variables["REMOTE_PORT"]) > 0


@pytest.mark.parametrize("name", ["X-Request-ID", "X_Request_ID", "x-request_id", "X_Request-ID"])
def test_clients_do_not_choose_the_id_of_a_request(front, name):
    with http.Connection(front.port) as client:
        for _ in range(10):  # of two fields that make one variable, Caddy lets either win
            client.send_head("GET", "/env", [(name, "claimed")])
            reply = client.read_reply()
            assert reply.status == 200
            assert "claimed" not in reply.text


def test_encoded_and_unicode_paths_arrive(front):
    target = "/env/%C3%BC%20x%25/%E2%82%AC"
    reply = http.request(front.port, target)
    assert reply.status == 404  # the program knows /env only: the path was not cut
    assert http.request(front.port, "/env?p=%C3%BC").variables()["QUERY_STRING"] == "p=%C3%BC"


def test_static_files_never_reach_the_application(front):
    if front.name == "haproxy":  # serves no files
        assert http.request(front.port, "/static/nothing.css").text == "not found\n"
        return
    reply = http.request(front.port, "/static/nothing.css")
    assert reply.status == 404
    assert reply.text != "not found\n"
