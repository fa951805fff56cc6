"""The lines of the sites in conf/ that make ids of requests, and those that an operator turns on: TLS, the
way from http to https, and the client's address behind a proxy. viaductd and an application are behind."""

import re
import ssl
import subprocess
from pathlib import Path

import pytest

from harness import http
from harness.fronts import VARIANTS, Haproxy, Nginx, replace
from harness.paths import SOURCE
from harness.ports import reserve_port

SITES = ["nginx", "nginx-scgi", "apache", "apache-scgi", "caddy", "lighttpd", "lighttpd-scgi", "haproxy"]
PROXY, CLIENT, OTHER = "127.0.0.2", "192.0.2.7", "127.0.0.3"


@pytest.fixture
def start_site(viaductd, directory, stopping, logs):
    """start_site(variant, turned_on): that site, running, with these parts of its file turned on."""

    def start(variant: str, turned_on: dict[str, dict[str, str]], app: str = "sdk"):
        viaductd.app(app)
        viaductd.start()
        kind, options = VARIANTS[variant]
        upstream = viaductd.scgi if options.get("scgi") else viaductd.socket
        front = kind(directory / variant, upstream, **options)
        front.turned_on = turned_on
        logs.append(front)
        stopping.append(front)
        return front.start()

    return start


@pytest.mark.parametrize("variant", SITES)
def test_ids_of_requests_are_the_front_servers(start_site, variant):
    front = start_site(variant, {}, "libfcgi")  # shows every variable
    seen = set()
    for name in ("X-Request-ID", "X_Request_ID", "X-Request-Id"):
        reply = http.request(front.port, "/env", headers=[(name, "claimed")])
        assert reply.status == 200
        assert "claimed" not in reply.text
        variables = reply.variables()
        if variant.startswith("lighttpd"):  # makes none
            assert "REQUEST_ID" not in variables
            continue
        assert len(variables["REQUEST_ID"]) >= 16
        assert variables["HTTP_X_REQUEST_ID"] == variables["REQUEST_ID"]
        seen.add(variables["REQUEST_ID"])
    assert len(seen) == (0 if variant.startswith("lighttpd") else 3)


def check_host(port: int, ports_kept: bool = True) -> None:
    """The host is that by which the front server has chosen the site: with an absolute target the
    target's, whatever Host says (RFC 9112 3.2.2)."""
    for target, host, hosts in (
        ("/env", "shop.example:8080", {"shop.example:8080" if ports_kept else "shop.example"}),
        ("/env", "shop.example", {"shop.example"}),
        ("http://shop.example/env", "admin.example", {"shop.example"}),
        ("http://shop.example:8080/env", "admin.example", {"shop.example", "shop.example:8080"}),
    ):
        reply = http.request(port, target, headers=[("Host", host)])
        if target != "/env" and reply.status == 400:
            continue  # lighttpd and HAProxy refuse a contradiction
        assert reply.status == 200, target
        variables = reply.variables()
        assert variables["HTTP_HOST"] in hosts, (target, host)
        assert variables["REQUEST_URI"] == "/env", (target, host)
        assert "admin" not in reply.text, (target, host)


@pytest.mark.parametrize("variant", SITES)
def test_the_host_is_that_of_the_target(start_site, variant):
    check_host(start_site(variant, {}, "libfcgi").port)


# Sites that are in no directory of their front server.


class ScaledNginx(Nginx):
    """contrib/scale-out/nginx.conf with one host, which is here."""

    def write(self, port: int) -> None:
        super().write(port)
        site = (SOURCE / "contrib/scale-out/nginx.conf").read_text()
        site = re.sub(r" +server 10\..*\n", "", site)
        site = replace(site, "least_conn;", f"server unix:{self.upstream};")
        site = replace(site, "listen 80;", f"listen 127.0.0.1:{port};")
        site = replace(site, "include fastcgi_params;", "include /etc/nginx/fastcgi_params;")
        (self.directory / "viaduct.conf").write_text(site)


class ScaledHaproxy(Haproxy):
    """contrib/scale-out/haproxy.cfg with one host, which is here and not checked."""

    def write(self, port: int) -> None:
        site = (SOURCE / "contrib/scale-out/haproxy.cfg").read_text()
        site = re.sub(r"\n +(server|default-server|option httpchk|http-check) .*", "", site)
        site = replace(site, "bind :80", f"bind 127.0.0.1:{port}")
        site += f"    server here unix@{self.upstream} proto fcgi\n"
        (self.directory / "viaduct.cfg").write_text(site)


class MovingNginx(Nginx):
    """conf/apps/flask-to-cpp/nginx.conf, by the uwsgi protocol."""

    def write(self, port: int) -> None:
        super().write(port)
        site = (SOURCE / "conf/apps/flask-to-cpp/nginx.conf").read_text()
        site = replace(site, "/run/shop/shop.sock;", f"{self.upstream};")
        site = replace(site, "listen 80;", f"listen 127.0.0.1:{port};")
        (self.directory / "viaduct.conf").write_text(site)


@pytest.mark.parametrize("kind", [ScaledNginx, ScaledHaproxy, MovingNginx])
def test_other_sites_let_no_client_choose_either(viaductd, directory, stopping, logs, kind):
    uwsgi = str(directory / "uwsgi.sock")
    viaductd.settings["listeners"].append(
        {"protocol": "uwsgi", "address": f"unix:{uwsgi}", "mode": "0666", "app": "web"}
    )
    viaductd.app("libfcgi")
    viaductd.start()
    front = kind(directory / "front", uwsgi if kind is MovingNginx else viaductd.socket)
    logs.append(front)
    stopping.append(front)
    front.start()
    fields = ["X-Request-ID", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"]
    fields += ["X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-By", "X-Forwarded-Scheme"]
    fields += ["X-Forwarded-Ssl", "X-Real-IP", "Front-End-Https", "X_Request_ID", "X_Forwarded_For"]
    for name in fields:
        reply = http.request(front.port, "/env", headers=[(name, "claimed")])
        assert reply.status == 200
        assert "claimed" not in reply.text, name
        variables = reply.variables()
        assert len(variables["REQUEST_ID"]) >= 16
        assert variables["HTTP_X_REQUEST_ID"] == variables["REQUEST_ID"]
    # nginx's own files of variables leave the host to the field; Debian's set it to $host, without port.
    of_nginx = Path("/etc/nginx/uwsgi_params" if kind is MovingNginx else "/etc/nginx/fastcgi_params")
    if kind is ScaledHaproxy or "HTTP_HOST" in of_nginx.read_text():
        check_host(front.port, ports_kept=kind is ScaledHaproxy)


# Behind a proxy.


@pytest.mark.parametrize("variant", SITES)
def test_a_named_proxy_is_believed_and_nobody_else(start_site, variant):
    front = start_site(variant, {"Behind a proxy": {"10.0.0.0/8": PROXY}})
    forwarded = [("X-Forwarded-For", f"6.6.6.6, {CLIENT}")]
    if variant == "caddy":
        forwarded = [("X-Real-IP", CLIENT), ("X-Forwarded-For", "6.6.6.6")]
    for source, fields, address in (
        (PROXY, forwarded, CLIENT),
        (PROXY, [], PROXY),
        (OTHER, forwarded, OTHER),
    ):
        with http.Connection(front.port, source=source) as connection:
            connection.send_head("GET", "/env", fields)
            reply = connection.read_reply()
        assert reply.variables()["REMOTE_ADDR"] == address, (source, fields)
        assert "6.6.6.6" not in reply.text


# TLS.


@pytest.fixture
def certificate(directory):
    """A certificate and its key, in one file."""
    file = directory / "shop.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-subj", "/CN=shop.test", "-addext", "subjectAltName=DNS:shop.test", "-days", "2"]
        + ["-keyout", file, "-out", directory / "shop.crt"],
        check=True,
        capture_output=True,
    )
    file.write_text(file.read_text() + (directory / "shop.crt").read_text())
    return str(file)


def tls_lines(variant: str, certificate: str, port: int) -> dict[str, dict[str, str]]:
    """What is turned on, with that certificate and 127.0.0.1:port in place of port 443 or, where the
    file has one port that becomes the one with TLS, in place of port 80."""
    here = f"127.0.0.1:{port}"
    pair = {"/etc/ssl/certs/shop.pem": certificate, "/etc/ssl/private/shop.key": certificate}
    return {
        "nginx": {
            "TLS": {"listen 443": f"listen {here}", **pair},
            "To https": {"server {\n    listen 80;  ": "server {\n    "},
        },
        "apache": {
            "TLS": pair,
            "To https": {"<VirtualHost *:80>\n    ServerName": f"Listen {here}\n<VirtualHost {here}>\n    ServerName"},
        },
        "caddy": {"TLS by a certificate": pair},
        "lighttpd": {"TLS": {'":443"': f'"{here}"', **pair}, "To https": {}},
        "haproxy": {"TLS": {"bind :443": f"bind {here}", "/etc/haproxy/shop.pem": certificate}, "To https": {}},
    }[variant]


@pytest.mark.parametrize("variant", ["nginx", "apache", "caddy", "lighttpd", "haproxy"])
def test_tls_reaches_the_application_and_http_leads_to_it(start_site, variant, certificate):
    other = reserve_port()
    front = start_site(variant, tls_lines(variant, certificate, other))
    with_tls, plain = (front.port, other) if variant in ("apache", "caddy") else (other, front.port)
    context = ssl.create_default_context(cafile=certificate)
    with http.Connection(with_tls) as connection:
        connection.socket = context.wrap_socket(connection.socket, server_hostname="shop.test")
        assert connection.socket.version() in ("TLSv1.2", "TLSv1.3")
        connection.send_head("GET", "/env", [("Host", "shop.test"), ("X-Forwarded-Proto", "http")])
        reply = connection.read_reply()
    variables = reply.variables()
    assert (reply.status, variables["HTTPS"]) == (200, "on")
    assert variables.get("REQUEST_SCHEME", "https") == "https"
    if variant == "caddy":  # does so by itself for a host name
        return
    reply = http.request(plain, "/env?a=b", headers=[("Host", "example.org")])
    assert reply.status == 301
    assert reply.get("Location") == "https://example.org/env?a=b"
