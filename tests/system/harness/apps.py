"""The test applications as commands of a viaductd app, or served directly on a socket."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

from .paths import SYSTEM, Stage, built

# On the SDK, by its model of concurrency.
SDK = ("sdk-fibers", "sdk-threads")
# What runs under viaductd unchanged.
LEGACY = ("libfcgi", "libfcgi++", "perl", "plack", "php", "ruby", "flask", "fcgiwrap")
KINDS = (*SDK, *LEGACY)
# This one looks at PATH_INFO alone, as WSGI says; some front servers put the path into SCRIPT_NAME.
READS_PATH_INFO = ("flask",)
# This one keeps the whole response in memory: ruby-fcgi without its C part.
NOT_IN_PIECES = ("ruby",)
# Without an answer to FCGI_GET_VALUES: uWSGI ignores it; ruby-fcgi without its C part, which does not load in Debian 12,
# dies of a name that it does not know.
UNPROBED = ("ruby", "flask")


def command(name: str, stage: Stage) -> list[str]:
    """The command line of a test application, staged where every user may run it."""
    if name == "perl":
        return ["/usr/bin/perl", str(stage.put(SYSTEM / "apps" / "fcgi.pl"))]
    if name == "php":
        stage.put(SYSTEM / "apps" / "app.php")
        return [shutil.which("php-cgi"), "-d", "cgi.force_redirect=0", "-d", "log_errors=1"]
    if name == "plack":
        script = stage.put(SYSTEM / "apps" / "app.psgi")
        return ["/usr/bin/perl", "/usr/bin/plackup", "-s", "FCGI", "-E", "deployment",
                "--manager", "", str(script)]
    if name == "ruby":
        script = stage.put(SYSTEM / "apps" / "config.ru")
        serve = "Rack::Handler::FastCGI.run(Rack::Builder.parse_file(ARGV[0])[0])"
        return ["/usr/bin/ruby", "-rrack", "-e", serve, str(script)]
    if name == "flask":
        script = stage.put(SYSTEM / "apps" / "flask_app.py")
        return ["/usr/bin/uwsgi", "--plugin", "python3", "--protocol", "fastcgi", "--need-app",
                "--disable-logging", "--wsgi-file", str(script)]
    if name == "fcgiwrap":
        stage.put(SYSTEM / "apps" / "app.cgi")
        return [shutil.which("fcgiwrap", path="/usr/sbin:/usr/bin"), "-f"]
    if name in SDK:
        name = "sdk"
    binary = {"libfcgi": "libfcgi_app", "libfcgi++": "libfcgi_app_cpp", "sdk": "probe"}.get(name, name)
    return [str(stage.put(built(binary)))]


def settings(name: str, stage: Stage) -> dict:
    """What else a viaductd app of this kind must say."""
    if name in SDK:
        return {"concurrency": {"model": name.removeprefix("sdk-"), "limit": 64}}
    if name == "php":
        script = str(stage.path / "app.php")
        return {"params": {"SCRIPT_FILENAME": script}, "env": {"PHP_FCGI_MAX_REQUESTS": "0"}}
    if name == "fcgiwrap":
        return {"params": {"SCRIPT_FILENAME": str(stage.path / "app.cgi")}}
    if name in UNPROBED:
        # What was aborted may hold its worker until the request's deadline.
        held = {"probe": False, "timeouts": {"request": "10s", "queue": "60s"}}
        return {**held, "stop_signal": "SIGINT"} if name == "flask" else held
    return {}


class Direct:
    """An application on a listening Unix socket of its own, as spawn-fcgi would start it."""

    def __init__(self, name: str, stage: Stage, directory: Path, processes: int = 1) -> None:
        self.address = str(directory / f"{name}.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.address)
            os.chmod(self.address, 0o666)
            listener.listen(64)
            self.log = directory / f"{name}.log"
            with open(self.log, "ab") as log:
                self.children = [
                    subprocess.Popen(
                        command(name, stage),
                        stdin=listener,
                        stdout=log,
                        stderr=log,
                        env={**os.environ, "MARKS": str(directory)},
                    )
                    for _ in range(processes)
                ]

    def stop(self) -> None:
        for child in self.children:
            child.kill()
            child.wait()


