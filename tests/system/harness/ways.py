"""Every protocol by which each front server can reach viaductd: the matrix of tests/run --matrix.

FastCGI and SCGI come from the files in conf/ (fronts.py); uwsgi and HTTP are the shortest
configuration that passes everything on."""

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


def _variant(name: str) -> Callable[[Path, str], Front]:
    kind, options = VARIANTS[name]
    return lambda directory, upstream: kind(directory, upstream, **options)


WAYS: dict[tuple[str, str], Union[Callable[[Path, str], Front], type]] = {
    ("nginx", "fastcgi"): _variant("nginx"),
    ("nginx", "scgi"): _variant("nginx-scgi"),
    ("nginx", "uwsgi"): lambda directory, upstream: PassingNginx(directory, upstream, "uwsgi"),
    ("nginx", "http"): lambda directory, upstream: PassingNginx(directory, upstream, "http"),
    ("apache", "fastcgi"): _variant("apache"),
    ("apache", "scgi"): _variant("apache-scgi"),
    ("apache", "uwsgi"): _apache("proxy_uwsgi", "uwsgi"),
    ("apache", "http"): _apache("proxy_http", "http"),
    ("caddy", "fastcgi"): _variant("caddy"),
    ("caddy", "http"): ProxyingCaddy,
    ("lighttpd", "fastcgi"): _variant("lighttpd"),
    ("lighttpd", "scgi"): _variant("lighttpd-scgi"),
    ("lighttpd", "uwsgi"): lambda d, upstream: PassingLighttpd(d, upstream, LIGHTTPD_UWSGI),
    ("lighttpd", "http"): lambda d, upstream: PassingLighttpd(d, upstream, LIGHTTPD_HTTP),
    ("haproxy", "fastcgi"): _variant("haproxy"),
    ("haproxy", "http"): ProxyingHaproxy,
}
FRONTS = ("nginx", "apache", "caddy", "lighttpd", "haproxy")
