"""Every protocol by which each front server can reach viaductd: the matrix of tests/run --matrix.

FastCGI and SCGI come from the files in conf/ (fronts.py); uwsgi and HTTP are the shortest
configuration that passes everything on."""

import re
from pathlib import Path
from typing import Callable, Union

from .direct import ModuleApache, PassingNginx
from .fronts import Caddy, Front, Haproxy, Lighttpd, VARIANTS

PROTOCOLS = ("fastcgi", "scgi", "uwsgi", "http")

# What a front server has no module for.
MISSING = {
    ("caddy", "scgi"): "Caddy has no SCGI transport",
    ("caddy", "uwsgi"): "Caddy has no uwsgi transport",
    ("haproxy", "scgi"): "HAProxy has no SCGI",
    ("haproxy", "uwsgi"): "HAProxy has no uwsgi",
}


class ProxyingCaddy(Caddy):
    def write(self, port: int) -> None:
        super().write(port)
        (self.directory / "viaduct.caddy").write_text(
            f":{port} {{\n\treverse_proxy unix/{self.upstream} {{\n\t\tflush_interval -1\n\t}}\n}}\n"
        )


class PassingLighttpd(Lighttpd):
    """lighttpd with mod_scgi in uwsgi mode, or mod_proxy."""

    def __init__(self, directory: Path, upstream: str, lines: str) -> None:
        super().__init__(directory, upstream)
        self.lines = lines

    def write(self, port: int) -> None:
        super().write(port)
        limits = "server.max-request-size = 262144\nserver.max-request-field-size = 65536\n"
        (self.directory / "viaduct.conf").write_text(
            limits + self.lines.replace("UPSTREAM", str(self.upstream))
        )


LIGHTTPD_UWSGI = """server.stream-response-body = 1
server.modules += ( "mod_scgi" )
scgi.protocol = "uwsgi"
scgi.server = ( "/" => (( "socket" => "UPSTREAM", "check-local" => "disable",
                          "fix-root-scriptname" => "enable" )) )
"""
LIGHTTPD_HTTP = """server.modules += ( "mod_proxy" )
server.stream-response-body = 1
proxy.server = ( "/" => (( "host" => "UPSTREAM" )) )
"""


class ProxyingHaproxy(Haproxy):
    def write(self, port: int) -> None:
        (self.directory / "viaduct.cfg").write_text(
            f"""defaults
  mode http
  timeout connect 5s
  timeout client 90s
  timeout server 90s
frontend web
  bind 127.0.0.1:{port}
  default_backend shop
backend shop
  server viaduct unix@{self.upstream}
"""
        )


def _apache(module: str, scheme: str) -> Callable[[Path, str], Front]:
    def make(directory: Path, upstream: str) -> Front:
        passing = f'ProxyPass "/" "unix:{upstream}|{scheme}://localhost/" flushpackets=on\n'
        return ModuleApache(directory, [module], "AllowEncodedSlashes NoDecode\n" + passing)

    return make


# How front servers name a Unix socket, and the same address over TCP.
OVER_TCP = (
    (r"unix:SOCKET\|(\w+)://[^/]*/", r"\1://127.0.0.1:PORT/"),
    (r"unix(?::|/|@)SOCKET", "127.0.0.1:PORT"),
    (r'"(?:socket|host)" => "SOCKET"', '"host" => "127.0.0.1", "port" => PORT'),
)


def over_tcp(front: Front, socket: str, port: int) -> None:
    """Has the front server, which is not started yet, reach viaductd at 127.0.0.1:port instead of `socket`."""
    write = front.write

    def rewrite(own: int) -> None:
        write(own)
        (site,) = front.directory.glob("viaduct.*")
        text = site.read_text()
        for unix, tcp in OVER_TCP:
            text = re.sub(unix.replace("SOCKET", re.escape(socket)), tcp.replace("PORT", str(port)), text)
        if socket in text or f"127.0.0.1:{port}" not in text and f'"port" => {port}' not in text:
            raise AssertionError(f"{front.name} is not led to TCP:\n{text}")
        site.write_text(text)

    front.write = rewrite


def variant(name: str) -> Callable[[Path, str], Front]:
    kind, options = VARIANTS[name]
    return lambda directory, upstream: kind(directory, upstream, **options)


WAYS: dict[tuple[str, str], Union[Callable[[Path, str], Front], type]] = {
    ("nginx", "fastcgi"): variant("nginx"),
    ("nginx", "scgi"): variant("nginx-scgi"),
    ("nginx", "uwsgi"): lambda directory, upstream: PassingNginx(directory, upstream, "uwsgi"),
    ("nginx", "http"): lambda directory, upstream: PassingNginx(directory, upstream, "http"),
    ("apache", "fastcgi"): variant("apache"),
    ("apache", "scgi"): variant("apache-scgi"),
    ("apache", "uwsgi"): _apache("proxy_uwsgi", "uwsgi"),
    ("apache", "http"): _apache("proxy_http", "http"),
    ("caddy", "fastcgi"): variant("caddy"),
    ("caddy", "http"): ProxyingCaddy,
    ("lighttpd", "fastcgi"): variant("lighttpd"),
    ("lighttpd", "scgi"): variant("lighttpd-scgi"),
    ("lighttpd", "uwsgi"): lambda d, upstream: PassingLighttpd(d, upstream, LIGHTTPD_UWSGI),
    ("lighttpd", "http"): lambda d, upstream: PassingLighttpd(d, upstream, LIGHTTPD_HTTP),
    ("haproxy", "fastcgi"): variant("haproxy"),
    ("haproxy", "http"): ProxyingHaproxy,
}

# Who serves a response that broke off as a complete one, or the next response within it, by whether the
# listener is on TCP and whether the program announced a length; protocol/README.md has the same table.
_END_OF_FILE = "it takes the end of file, which is all that there is on a Unix socket, for a good end"
_AT_TIMES = "it takes a reset for end of file at times"
_CADDY = "Caddy 2.6 ends the response of a failing upstream well"
_SCGI_LIKE = [(front, protocol) for front in ("apache", "lighttpd") for protocol in ("scgi", "uwsgi")]
CANNOT_TELL: dict[tuple[bool, str], dict[tuple[str, str], str]] = {
    (False, "length"): {way: _END_OF_FILE for way in [*_SCGI_LIKE, ("lighttpd", "http")]},
    (True, "length"): {("apache", "uwsgi"): _AT_TIMES, ("lighttpd", "http"): "it does not compare lengths"},
    (False, "none"): {
        **{way: _END_OF_FILE for way in [*_SCGI_LIKE, ("nginx", "scgi"), ("nginx", "uwsgi"), ("nginx", "http")]},
        **{("caddy", protocol): _CADDY for protocol in ("fastcgi", "http")},
    },
    (True, "none"): {
        ("apache", "uwsgi"): _AT_TIMES,
        **{("caddy", protocol): _CADDY for protocol in ("fastcgi", "http")},
    },
}
FRONTS = ("nginx", "apache", "caddy", "lighttpd", "haproxy")
