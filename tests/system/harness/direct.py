"""Front servers that reach an SDK application without viaductd, each by its own way of starting
it or of passing requests to its socket. The configurations are the shortest that do so."""

import os
import signal
from pathlib import Path

from .fronts import Apache, Front, Lighttpd, Nginx, replace
from .process import Process, accepts, complete_lines, wait_for

MODULES = Path("/usr/lib/apache2/modules")


class PassingNginx(Nginx):
    """nginx with `fastcgi_pass`, `scgi_pass`, `uwsgi_pass` or (`http`) `proxy_pass`, and its stock
    variables or fields."""

    def __init__(self, directory: Path, upstream: str, word: str) -> None:
        super().__init__(directory, upstream)
        self.word = word

    def write(self, port: int) -> None:
        super().write(port)
        word = {"http": "proxy"}.get(self.word, self.word)
        scheme = "http://" if word == "proxy" else ""
        (self.directory / "viaduct.conf").write_text(
            f"""server {{
  listen 127.0.0.1:{port};
  client_max_body_size 256m;
  location / {{
    include /etc/nginx/{word}_params;
    {word}_pass {scheme}unix:{self.upstream};
  }}
}}
"""
        )


class CachingNginx(PassingNginx):
    """Keeps pages by their target alone, and says in X-Cache whether it had one."""

    def write(self, port: int) -> None:
        super().write(port)
        word, site = self.word, self.directory / "viaduct.conf"
        lines = f"{word}_cache pages; {word}_cache_key $request_uri; {word}_cache_valid any 10m;"
        lines += " add_header X-Cache $upstream_cache_status;"
        text = replace(site.read_text(), "location / {", "location / {\n    " + lines)
        site.write_text(f"{word}_cache_path {self.directory}/cache keys_zone=pages:1m;\n{text}")


class ModuleApache(Apache):
    """Apache with further modules and lines of configuration."""

    def __init__(self, directory: Path, modules: list[str], lines: str) -> None:
        super().__init__(directory, "")
        self.modules = modules
        self.lines = lines

    @classmethod
    def has(cls, module: str) -> bool:
        return cls.executable() is not None and (MODULES / f"mod_{module}.so").exists()

    def write(self, port: int) -> None:
        super().write(port)
        load = "".join(
            f"LoadModule {module}_module {MODULES}/mod_{module}.so\n" for module in self.modules
        )
        (self.directory / "viaduct.conf").write_text(load + self.lines)


class SpawningLighttpd(Lighttpd):
    """lighttpd that starts the application itself (`bin-path`)."""

    def __init__(self, directory: Path, command: str) -> None:
        super().__init__(directory, "")
        self.application = command

    def write(self, port: int) -> None:
        super().write(port)
        (self.directory / "viaduct.conf").write_text(
            f"""server.modules += ( "mod_fastcgi" )
fastcgi.server = ( "/" => ((
  "bin-path" => "{self.application}", "socket" => "{self.directory}/app.sock",
  "max-procs" => 2, "check-local" => "disable",
  "fix-root-scriptname" => "enable"
)))
"""
        )


class App:
    """A process that serves an SDK application, and its log."""

    name = "app"

    def __init__(self, command: list, log: Path, **options) -> None:
        # The sockets it makes are for a front server that may run as somebody else.
        self.process = Process(command, log, umask=0, **options)

    def wait_for_socket(self, path: Path) -> "App":
        wait_for(lambda: accepts(path) or not self.process.running(), f"{path} has a listener")
        assert self.process.running(), self.text()
        return self

    def wait_for_port(self) -> int:
        """The port on which it says to serve HTTP."""

        def said() -> str:
            assert self.process.running(), self.text()
            return next((line for line in complete_lines(self.text()) if "serving http" in line), "")

        line = wait_for(said, "the application says where it serves")
        return int(line.split("://")[1].split("/")[0].rpartition(":")[2])

    def text(self) -> str:
        return self.process.text()

    def stop(self) -> int:
        return self.process.stop(signal.SIGTERM)



def cgi_environment(**variables: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS") if name in os.environ}
    return {**kept, "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", **variables}
