"""uwsgi and HTTP listeners: behind front servers, and with clients that connect to viaductd itself."""

import os
import socket

import pytest

from harness import http
from harness.direct import ModuleApache, PassingNginx
from harness.fronts import Front, Haproxy, replace
from harness.ports import reserve_port
from harness.process import wait_for
from harness.site import check_site

MIB = 1 << 20


@pytest.fixture
def start(stopping, logs):
    def begin(front: Front) -> Front:
        logs.append(front)
        stopping.append(front)
        return front.start()

    return begin


def serve(viaductd, protocol: str, address: str, **keys):
    listener = {"protocol": protocol, "address": address, "app": "web"}
    if address.startswith("unix:"):
        listener["mode"] = "0666"
    viaductd.settings["listeners"].append({**listener, **keys})
    viaductd.app("sdk", concurrency={"model": "fibers", "limit": 256}, limits={"body": "256MiB"})
    viaductd.start()


def serve_tcp(viaductd, **keys) -> int:
    port = reserve_port()
    serve(viaductd, "http", f"tcp:127.0.0.1:{port}", **keys)
    return port


class ForwardingHaproxy(Haproxy):
    """HAProxy that passes connections on as they are, or requests, and says whose they are."""

    def __init__(self, directory, upstream: str, mode: str, server: str) -> None:
        super().__init__(directory, upstream)
        self.mode, self.server = mode, server

    def write(self, port: int) -> None:
        (self.directory / "viaduct.cfg").write_text(
            f"""defaults
  mode {self.mode}
  timeout connect 5s
  timeout client 90s
  timeout server 90s
frontend web
  bind 127.0.0.1:{port}
  default_backend shop
backend shop
  server viaduct {self.upstream} {self.server}
"""
        )


@pytest.mark.parametrize("word", ["uwsgi", "http"])
def test_nginx(viaductd, directory, start, word):
    path = directory / "other.sock"
    serve(viaductd, word, f"unix:{path}")
    check_site(start(PassingNginx(directory / "nginx", str(path), word)).port)


def test_apache_passes_uwsgi(viaductd, directory, start):
    path = directory / "other.sock"
    serve(viaductd, "uwsgi", f"unix:{path}")
    lines = f'ProxyPass "/" "unix:{path}|uwsgi://localhost/"\n'
    front = start(ModuleApache(directory / "apache", ["proxy_uwsgi"], lines))
    check_site(front.port, chunked=False)  # mod_proxy_uwsgi answers 411


def test_client_without_a_front_server(viaductd):
    check_site(serve_tcp(viaductd))


def test_large_bodies_both_ways(viaductd):
    port = serve_tcp(viaductd)
    size = 100 * MIB
    upload = http.request(
        port,
        "/digest",
        "POST",
        headers=[("Content-Length", str(size))],
        body=http.pattern(size),
        timeout=120,
    )
    assert upload.text == f"{size} {http.pattern_sha256(size)}\n"
    download = http.request(port, f"/generate?bytes={size}", keep_body=False, timeout=120)
    assert (download.length, download.sha256) == (size, http.pattern_sha256(size))


def test_variables(viaductd):
    port = serve_tcp(viaductd)
    headers = [("Host", "shop.test:99"), ("X-Two", "2"), ("X_Three", "3"), ("Proxy", "evil")]
    variables = http.request(port, "/env/%C3%BC?a=1", headers=headers).variables()
    expected = {
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": "/env/%C3%BC?a=1",
        "QUERY_STRING": "a=1",
        "HTTP_HOST": "shop.test:99",
        "SERVER_NAME": "shop.test",
        "SERVER_PORT": str(port),
        "SERVER_ADDR": "127.0.0.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_SCHEME": "http",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_X_TWO": "2",
        "path": "/env/ü",
    }
    assert {name: variables.get(name) for name in expected} == expected
    assert "HTTP_X_THREE" not in variables and "HTTP_PROXY" not in variables


def test_pipelined_requests(viaductd):
    port = serve_tcp(viaductd)
    with http.Connection(port) as client:
        client.send(b"GET /hello HTTP/1.1\r\nHost: h\r\n\r\n" * 200)
        for _ in range(200):
            assert client.read_reply().text == "hello\n"


def test_client_that_asks_before_it_sends(viaductd):
    port = serve_tcp(viaductd)
    with http.Connection(port) as client:
        client.send_head("POST", "/digest", [("Content-Length", "3"), ("Expect", "100-continue")])
        interim = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert client.socket.recv(len(interim), socket.MSG_WAITALL) == interim
        client.send(b"".join(http.pattern(3)))
        assert client.read_reply().text == f"3 {http.pattern_sha256(3)}\n"


def test_client_gone_reaches_the_handler(viaductd):
    port = serve_tcp(viaductd)
    with http.Connection(port) as client:
        client.send_head("GET", "/wait?mark=waiting")
        viaductd.mark("waiting")
    assert viaductd.mark("waiting.stopped") == "stopped\n"


def test_kept_connections_survive_a_reload(viaductd):
    port = serve_tcp(viaductd)
    with http.Connection(port) as client:
        for generation in range(3):
            client.send_head("GET", "/hello")
            assert client.read_reply().text == "hello\n"
            viaductd.settings["apps"]["web"]["env"]["GENERATION"] = str(generation)
            viaductd.reload()


@pytest.mark.parametrize(
    "mode, server", [("tcp", "send-proxy"), ("tcp", "send-proxy-v2"), ("http", "send-proxy-v2")]
)
def test_haproxy_says_whose_connections_they_are(viaductd, directory, start, mode, server):
    port = reserve_port()
    keys = {"trusted": ["127.0.0.1"], "proxy_protocol": True, "forwarded": "none"}
    serve(viaductd, "http", f"tcp:127.0.0.1:{port}", **keys)
    front = start(ForwardingHaproxy(directory / "haproxy", f"127.0.0.1:{port}", mode, server))
    with http.Connection(front.port, source="127.0.0.2") as client:
        own = client.socket.getsockname()
        client.send_head("GET", "/env")
        variables = client.read_reply().variables()
        client.send_head("GET", "/hello")
        assert client.read_reply().text == "hello\n"
    assert (variables["REMOTE_ADDR"], variables["REMOTE_PORT"]) == ("127.0.0.2", str(own[1]))
    assert variables["SERVER_PORT"] == str(front.port)
    if mode == "tcp":
        check_site(front.port)


class ProxiedHaproxy(Haproxy):
    """The site of conf/, but each FastCGI connection begins with a PROXY header."""

    def write(self, port: int) -> None:
        super().write(port)
        file = self.directory / "viaduct.cfg"
        file.write_text(replace(file.read_text(), "proto fcgi", "proto fcgi send-proxy-v2"))


def test_fastcgi_behind_a_proxy_header(viaductd, directory, start):
    path = directory / "other.sock"
    serve(viaductd, "fastcgi", f"unix:{path}", trusted=[f"uid:{os.getuid()}"], proxy_protocol=True)
    front = start(ProxiedHaproxy(directory / "haproxy", str(path)))
    check_site(front.port, chunked=False)
    with http.Connection(front.port, source="127.0.0.2") as client:
        client.send_head("GET", "/env")
        assert client.read_reply().variables()["REMOTE_ADDR"] == "127.0.0.2"
    # Without the header.
    plain = start(Haproxy(directory / "plain", str(path)))
    assert http.request(plain.port, "/hello").status == 502
    viaductd.logged("begins without a PROXY protocol header")


def test_untrusted_client_is_not_believed(viaductd):
    port = serve_tcp(viaductd)
    headers = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https")]
    variables = http.request(port, "/env", headers=headers).variables()
    assert variables["REMOTE_ADDR"] == "127.0.0.1"
    assert "HTTPS" not in variables
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"PROXY TCP4 6.6.6.6 7.7.7.7 1 2\r\nGET /env HTTP/1.1\r\nHost: h\r\n\r\n")
        assert client.makefile("rb").readline() == b"HTTP/1.1 400 Bad Request\r\n"


def test_beyond_loopback_needs_allow(viaductd):
    viaductd.app("sdk")
    viaductd.settings["listeners"].append(
        {"protocol": "http", "address": "tcp:0.0.0.0:8080", "app": "web"}
    )
    viaductd.write()
    checked = viaductd.check()
    assert checked.returncode == 78
    assert "listeners[2]" in checked.stderr and "allow" in checked.stderr


def test_connections_of_one_client(viaductd):
    viaductd.settings["limits"] = {"connections_per_client": 2}
    port = serve_tcp(viaductd)
    first, second = http.Connection(port), http.Connection(port)
    for client in (first, second):
        client.send_head("GET", "/hello")
        assert client.read_reply().text == "hello\n"
    with http.Connection(port) as third:
        assert third.socket.recv(1) == b""
    viaductd.logged("limits.connections_per_client")
    first.close()

    def served() -> bool:
        try:
            return http.request(port, "/hello").text == "hello\n"
        except (http.Broken, ConnectionError):
            return False  # the end of the first is not known yet

    wait_for(served, "a third client is served")
    second.close()


def test_trusted_peers_are_not_counted(viaductd):
    viaductd.settings["limits"] = {"connections_per_client": 1}
    port = serve_tcp(viaductd, trusted=["127.0.0.1"], forwarded="none")
    clients = [http.Connection(port) for _ in range(3)]
    for client in clients:
        client.send_head("GET", "/hello")
        assert client.read_reply().text == "hello\n"
        client.close()
