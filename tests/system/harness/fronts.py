"""Front servers, started privately from the very files in conf/.

The files are what an operator copies; only addresses, limits and the choice of FastCGI or SCGI are
replaced, and a replacement that finds nothing to replace is an error.
"""

import os
import re
import shutil
import signal
import socket
from pathlib import Path
from typing import Optional

from .paths import CONF
from .ports import reserve_port
from .process import Process, wait_for

SOCKET = "/run/viaduct/web.sock"


def replace(text: str, old: str, new: str) -> str:
    if old not in text:
        raise AssertionError(f"the file in conf/ no longer contains {old!r}")
    return text.replace(old, new)


def turn_on(text: str, heading: str) -> str:
    """The text with the lines turned on that begin with # and no word of prose, in the paragraph whose
    comment begins with that heading."""
    lines, inside, turned = text.splitlines(keepends=True), False, 0
    for number, line in enumerate(lines):
        inside = (inside or line.lstrip().startswith(f"# {heading}")) and bool(line.strip())
        if inside and re.match(r"\s*#([^# \n]|  +)", line):
            lines[number] = line.replace("#", "", 1)
            turned += 1
    if not turned:
        raise AssertionError(f"the file in conf/ no longer has lines below {heading!r}")
    return "".join(lines)


class Front:
    """A running front server on 127.0.0.1:port that passes everything to `upstream`, the path of a
    Unix socket."""

    name = ""
    program = ""
    retryable = ("Address already in use", "address already in use", "could not bind", "cannot bind")

    def __init__(self, directory: Path, upstream: str, scgi: bool = False) -> None:
        self.directory = directory
        self.upstream = upstream
        self.scgi = scgi
        self.port = 0
        self.process: Optional[Process] = None
        # heading in the site's file -> what is replaced in its lines, which are turned on
        self.turned_on: dict[str, dict[str, str]] = {}
        directory.mkdir(mode=0o755)

    def site(self, file: str) -> str:
        """The site's file of conf/, leading to `upstream`."""
        text = replace((CONF / file).read_text(), SOCKET, self.upstream)
        for heading, replacements in self.turned_on.items():
            text = turn_on(text, heading)
            for old, new in replacements.items():
                text = replace(text, old, new)
        return text

    @classmethod
    def executable(cls) -> Optional[str]:
        return shutil.which(cls.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def write(self, port: int) -> None:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def start(self) -> "Front":
        # A server that listens on all addresses may find the port in use on another one.
        for _ in range(5):
            port = reserve_port()
            self.write(port)
            self.process = Process(
                self.command(), self.directory / "output.log", cwd=self.directory, env=self.environment()
            )
            wait_for(lambda: self.listens(port) or not self.process.running(), f"{self.name} listens")
            if self.process.running():
                self.port = port
                return self
            if not any(text in self.text() for text in self.retryable):
                break
        raise AssertionError(f"{self.name} did not start:\n{self.text()}")

    @staticmethod
    def listens(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def stop(self) -> None:
        if self.process:
            self.process.stop(signal.SIGTERM, timeout=10)

    def logs(self) -> list[Path]:
        return sorted(self.directory.glob("*.log"))

    def text(self) -> str:
        return "\n".join(log.read_text(errors="replace") for log in self.logs())


class Nginx(Front):
    name, program = "nginx", "nginx"

    def __init__(self, directory, upstream, scgi=False, keepalive=True, buffering=True) -> None:
        super().__init__(directory, upstream, scgi)
        self.keepalive = keepalive
        self.buffering = buffering

    def write(self, port: int) -> None:
        site = self.site("nginx/viaduct.conf")
        site = replace(site, "listen 80;", f"listen 127.0.0.1:{port};")
        site = replace(site, "client_max_body_size 64m;", "client_max_body_size 256m;")
        if self.scgi or not self.keepalive:
            site = replace(site, "keepalive 32;", "")
            site = replace(site, "fastcgi_keep_conn on;", "")
        if not self.buffering:
            site = replace(site, "fastcgi_request_buffering on;", "fastcgi_request_buffering off;")
            site = replace(site, "fastcgi_buffering on;", "fastcgi_buffering off;")
        if self.scgi:
            site = re.sub(r"\n *fastcgi_param CONTENT_LENGTH .*", "", site)
            site = re.sub(r"\bfastcgi_(\w+)", r"scgi_\1", site)
            site = replace(site, "scgi_pass viaduct;", "scgi_pass viaduct; scgi_param SCGI 1;")
        (self.directory / "viaduct.conf").write_text(site)
        shutil.copy(CONF / "nginx" / "standalone.conf", self.directory)

    def command(self) -> list[str]:
        # Until the configuration is read, nginx logs to a file of the distribution's choice.
        return [self.executable(), "-p", str(self.directory), "-e", "error.log", "-c", "standalone.conf"]


class Apache(Front):
    name, program = "apache", "apache2"

    def write(self, port: int) -> None:
        site = self.site("apache/viaduct.conf")
        site = replace(site, "<VirtualHost *:80>", f"<VirtualHost 127.0.0.1:{port}>")
        site = replace(site, "LimitRequestBody 67108864", "LimitRequestBody 268435456")
        if self.scgi:
            site = re.sub(r'\n    (?=ProxyPass "/" "unix:[^\n]*fcgi:)', "\n    # ", site)
            site = re.sub(r'\n    # (ProxyPass "/" "unix:[^\n]*scgi:)', r"\n    \1", site)
        (self.directory / "viaduct.conf").write_text(site)
        main = (CONF / "apache" / "standalone.conf").read_text()
        main = replace(main, "Listen 80", f"Listen 127.0.0.1:{port}")
        (self.directory / "standalone.conf").write_text(main)

    def command(self) -> list[str]:
        return [self.executable(), "-d", str(self.directory), "-f", "standalone.conf", "-D", "FOREGROUND"]


class Caddy(Front):
    name, program = "caddy", "caddy"

    def write(self, port: int) -> None:
        site = self.site("caddy/viaduct.caddy")
        site = replace(site, "\n:80 {", f"\n:{port} {{")
        site = replace(site, "max_size 64MiB", "max_size 256MiB")
        (self.directory / "viaduct.caddy").write_text(site)
        shutil.copy(CONF / "caddy" / "standalone.caddy", self.directory)

    def command(self) -> list[str]:
        return [self.executable(), "run", "--adapter", "caddyfile", "--config", "standalone.caddy"]

    def environment(self) -> dict[str, str]:
        home = str(self.directory)
        return {**os.environ, "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}


class Lighttpd(Front):
    name, program = "lighttpd", "lighttpd"

    def write(self, port: int) -> None:
        site = self.site("lighttpd/viaduct.conf")
        site = replace(site, "server.max-request-size = 65536", "server.max-request-size = 262144")
        if self.scgi:
            site = replace(site, "mod_fastcgi", "mod_scgi")
            site = replace(site, "fastcgi.server", "scgi.server")
        (self.directory / "viaduct.conf").write_text(site)
        main = (CONF / "lighttpd" / "standalone.conf").read_text()
        main = replace(main, "server.port = 80", f"server.port = {port}")
        (self.directory / "standalone.conf").write_text(main)

    def command(self) -> list[str]:
        return [self.executable(), "-D", "-f", "standalone.conf"]


class Haproxy(Front):
    """`streams`: requests at once that it sends over one connection."""

    name, program = "haproxy", "haproxy"

    def __init__(self, directory, upstream, streams: int = 1) -> None:
        super().__init__(directory, upstream)
        self.streams = streams

    def write(self, port: int) -> None:
        site = self.site("haproxy/viaduct.cfg")
        site = replace(site, "bind :80", f"bind 127.0.0.1:{port}")
        if self.streams > 1:
            site = replace(site, "no option mpxs-conns", f"option mpxs-conns\n    option max-reqs {self.streams}")
            site = replace(site, "http-reuse safe", "http-reuse always")
            # Each thread has connections of its own.
            site = "global\n    nbthread 1\n" + site
        (self.directory / "viaduct.cfg").write_text(site)

    def command(self) -> list[str]:
        return [self.executable(), "-db", "-f", "viaduct.cfg"]


ALL = {front.name: front for front in (Nginx, Apache, Caddy, Lighttpd, Haproxy)}

# name -> class, options: the ways by which requests of the tests arrive.
VARIANTS = {
    "nginx": (Nginx, {}),
    "nginx-close": (Nginx, {"keepalive": False}),
    "nginx-unbuffered": (Nginx, {"buffering": False}),
    "nginx-scgi": (Nginx, {"scgi": True}),
    "apache": (Apache, {}),
    "apache-scgi": (Apache, {"scgi": True}),
    "caddy": (Caddy, {}),
    "lighttpd": (Lighttpd, {}),
    "lighttpd-scgi": (Lighttpd, {"scgi": True}),
    "haproxy": (Haproxy, {}),
    "haproxy-multiplexed": (Haproxy, {"streams": 16}),
}
