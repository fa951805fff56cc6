"""viaductd with a configuration of the test's own."""

import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Optional, Sequence

import yaml

from . import apps
from .paths import ROOT, Stage, built
from .process import (
    PATIENCE,
    Adopted,
    Process,
    adopt_orphans,
    children,
    command_line,
    complete_lines,
    descendants,
    wait_for,
)

# Started as root, workers run as this user (in every Debian) and the bridge as another.
WORKER_USER = "daemon"
# timeouts.stop, where a test does not say.
STOP_TIMEOUT = 30.0


class Viaductd:
    """The daemon. `socket` is its FastCGI listener, `scgi` its SCGI listener; both go to the app
    `web`. Tests change `settings` before start() or between reload()s."""

    def __init__(self, stage: Stage, directory: Path) -> None:
        self.stage = stage
        self.directory = directory
        self.name = "viaductd"
        self.program = stage.put(built("viaductd"))
        self.socket = str(directory / "web.sock")
        self.scgi = str(directory / "scgi.sock")
        self.file = directory / "viaduct.yaml"
        self.log = directory / "viaductd.log"
        self.marks = directory / "marks"
        self.marks.mkdir()
        self.marks.chmod(0o777)
        self.process: Optional[Process] = None
        self.settings: dict = {
            "runtime_dir": str(directory / "run"),
            "listeners": [
                {"protocol": "fastcgi", "address": f"unix:{self.socket}", "mode": "0666", "app": "web"},
                {"protocol": "scgi", "address": f"unix:{self.scgi}", "mode": "0666", "app": "web"},
            ],
            "apps": {},
        }

    # configuration

    def app(self, kind: str = "sdk", name: str = "web", **keys) -> dict:
        """Configures a test application (see harness/apps.py) and returns its settings."""
        more = apps.settings(kind, self.stage)
        app = {"command": apps.command(kind, self.stage), "workers": 1, "probation": 0}
        app = {**app, **more, **keys}
        app["env"] = {"MARKS": str(self.marks), **more.get("env", {}), **keys.get("env", {})}
        if ROOT:
            app.setdefault("user", WORKER_USER)
        self.settings["apps"][name] = app
        return app

    def command(self, *words: str, name: str = "web", **keys) -> dict:
        """Configures any command as an app."""
        app = {"command": list(words), "workers": 1, **keys}
        if ROOT:
            app.setdefault("user", WORKER_USER)
        self.settings["apps"][name] = app
        return app

    def write(self) -> None:
        # Whatever a bridge is asked to do, it does from within its whole sandbox.
        self.settings.setdefault("bridge", {}).setdefault("sandbox", "required")
        self.file.write_text(yaml.safe_dump(self.settings, sort_keys=False))

    # life

    def start(
        self, ready: bool = True, prefix: Sequence[str] = (), environment={}, **options
    ) -> "Viaductd":
        """Starts it and waits for what systemd would wait for: READY=1."""
        self.write()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            path = str(self.directory / "notify")
            Path(path).unlink(missing_ok=True)
            notify.bind(path)
            notify.setblocking(False)
            self.process = Process(
                [*prefix, self.program, "-c", self.file],
                self.log,
                env={**os.environ, "NOTIFY_SOCKET": path, **environment},
                cwd=self.directory,
                **options,
            )
            if ready:
                wait_for(
                    lambda: not self.process.running() or self._notified(notify, b"READY=1"),
                    "viaductd is ready",
                )
                if not self.process.running():
                    raise AssertionError(
                        f"viaductd exited with {self.process.wait()}:\n{self.text()}"
                    )
        return self

    @staticmethod
    def _notified(notify: socket.socket, what: bytes) -> bool:
        try:
            return what in notify.recv(65536).split(b"\n")
        except BlockingIOError:
            return False

    def stop(self) -> int:
        if self.process is None:
            return 0
        left = descendants(self.pid) if self.process.running() else []
        # A worker that ignores its stop signal, as a program that has not set up its signals yet may,
        # is killed after timeouts.stop.
        status = self.process.stop(timeout=STOP_TIMEOUT + PATIENCE)
        for pid in left:
            if command_line(pid):
                os.kill(pid, signal.SIGKILL)
        return status

    def reload(self, timeout: float = PATIENCE) -> str:
        """SIGHUP; waits for the line that reports the new generation, and returns it."""
        self.write()
        before = self.generations()
        self.process.send(signal.SIGHUP)
        wait_for(lambda: self.generations() > before, "a new generation is reported", timeout)
        return [line for line in self.lines() if "generation " in line and "; ready in" in line][-1]

    def generations(self) -> int:
        return sum("generation " in line and "; ready in" in line for line in self.lines())

    def upgrade(self, timeout: float = PATIENCE) -> None:
        """SIGUSR2 to what is installed now; waits until it has taken over and the old one is gone."""
        self.write()
        old, before = self.process, self.text().count("upgrade: taken over")
        adopt_orphans()
        old.send(signal.SIGUSR2)
        wait_for(
            lambda: self.text().count("upgrade: taken over") > before, "an upgrade", timeout
        )
        self.process = Adopted(self.successor(), self.log)
        assert old.wait(timeout) == 0

    def successor(self) -> int:
        """Pid of the viaductd that the last SIGUSR2 started."""
        self.logged("upgrade: started")
        line = [line for line in self.lines() if "upgrade: started" in line][-1]
        return int(re.search(r"pid=(\d+)", line).group(1))

    def install(self) -> None:
        """Installs the program anew, as a package manager does."""
        new = Path(str(self.program) + ".new")
        shutil.copy2(self.program, new)
        new.replace(self.program)

    # what can be seen

    @property
    def pid(self) -> int:
        return self.process.pid

    def workers(self, name: str = "web") -> list[int]:
        """Pids of the app's worker processes."""
        words = self.settings["apps"][name]["command"]
        found = [pid for pid in children(self.pid) if command_line(pid)[-len(words) :] == words]
        # plackup overwrites its command line.
        return found or sorted(set(self.started(name)) & set(children(self.pid)))

    def started(self, name: str = "web") -> list[int]:
        """Pids of all worker processes that the app has had, by the log."""
        found = re.findall(rf"worker started app={name} worker=\S+ pid=(\d+)\b", self.text())
        return [int(pid) for pid in found]

    def bridges(self) -> list[int]:
        words = [app["command"] for app in self.settings["apps"].values() if "command" in app]
        workers = {pid for name in self.settings["apps"] for pid in self.started(name)}
        return [
            pid
            for pid in children(self.pid)
            if pid not in workers and not any(command_line(pid)[-len(w) :] == w for w in words)
        ]

    def bridge(self) -> int:
        return wait_for(lambda: self.bridges(), "there is a bridge")[-1]

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def lines(self) -> list[str]:
        return complete_lines(self.text())

    def logged(self, text: str, timeout: float = PATIENCE) -> str:
        """Waits for a line of the log that contains `text`."""
        return wait_for(
            lambda: next((line for line in self.lines() if text in line), None),
            f"the log says {text!r}",
            timeout,
        )

    def mark(self, name: str, timeout: float = PATIENCE) -> str:
        """Waits for a file that a test application leaves."""
        path = self.marks / name
        wait_for(path.exists, f"the application leaves {name}", timeout)
        return path.read_text()

    def check(self, *options: str) -> subprocess.CompletedProcess:
        """viaductd --check on the configuration file as it is."""
        return subprocess.run(
            [self.program, "-c", self.file, *(options or ("-t",))],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )


