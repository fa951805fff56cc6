"""The test applications as commands of a viaductd app, or served directly on a socket."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

from .paths import SYSTEM, Stage, built

# As the app's environment when viaductd runs it; php-cgi finds its script by variables.
LEGACY = ("libfcgi", "perl", "php")
# These read no body without CONTENT_LENGTH.
BODY_NEEDS_LENGTH = ("php",)


def command(name: str, stage: Stage) -> list[str]:
    """The command line of a test application, staged where every user may run it."""
    if name == "perl":
        return ["/usr/bin/perl", str(stage.put(SYSTEM / "apps" / "fcgi.pl"))]
    if name == "php":
        stage.put(SYSTEM / "apps" / "app.php")
        return [shutil.which("php-cgi"), "-d", "cgi.force_redirect=0", "-d", "log_errors=1"]
    binary = {"libfcgi": "libfcgi_app", "sdk": "probe"}.get(name, name)
    return [str(stage.put(built(binary)))]


def settings(name: str, stage: Stage) -> dict:
    """What else a viaductd app of this kind must say."""
    if name == "php":
        script = str(stage.path / "app.php")
        return {"params": {"SCRIPT_FILENAME": script}, "env": {"PHP_FCGI_MAX_REQUESTS": "0"}}
    return {}


class Direct:
    """An application on a listening Unix socket of its own, as spawn-fcgi would start it."""

    def __init__(self, name: str, stage: Stage, directory: Path) -> None:
        self.address = str(directory / f"{name}.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.address)
            os.chmod(self.address, 0o666)
            listener.listen(64)
            self.log = directory / f"{name}.log"
            with open(self.log, "ab") as log:
                self.child = subprocess.Popen(
                    command(name, stage),
                    stdin=listener,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, "MARKS": str(directory)},
                )

    def stop(self) -> None:
        self.child.kill()
        self.child.wait()


