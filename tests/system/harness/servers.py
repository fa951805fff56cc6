"""Servers that others run, for apps with `connect`."""

import os
import signal
import subprocess
from pathlib import Path

from .apps import command
from .paths import ROOT, SYSTEM
from .ports import reserve_port
from .process import Process, wait_for
from .viaductd import WORKER_USER


def connect(viaductd, *addresses: str, **keys) -> None:
    viaductd.settings["apps"]["web"] = {"connect": list(addresses), **keys}


class Spawned:
    """A FastCGI program with `count` processes on one socket, started by spawn-fcgi. `where`: unix or tcp."""

    def __init__(self, where: str, stage, directory, name: str = "spawned", count: int = 2) -> None:
        if where == "unix":
            path = str(directory / f"{name}.sock")
            self.address, words = f"unix:{path}", ["-s", path, "-M", "0666"]
        else:
            port = reserve_port()
            self.address, words = f"tcp:127.0.0.1:{port}", ["-a", "127.0.0.1", "-p", str(port)]
        self.pids = directory / f"{name}.pid"
        subprocess.run(
            ["spawn-fcgi", *words, "-F", str(count), "-P", str(self.pids), "--", *command("libfcgi", stage)],
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "MARKS": str(directory)},
        )

    def processes(self) -> list[int]:
        return [int(pid) for pid in self.pids.read_text().split()]

    def stop(self) -> None:
        pids, _ = self.processes(), self.pids.write_text("")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


class PhpFpm:
    """PHP-FPM with so many children, each of which serves one connection at a time. `where`: unix or tcp."""

    def __init__(self, stage, directory, marks, children: int = 2, where: str = "unix") -> None:
        script = str(stage.put(SYSTEM / "apps" / "app.php"))
        self.keys = {"params": {"SCRIPT_FILENAME": script}}
        self.path = directory / "fpm.sock"
        self.address = f"unix:{self.path}" if where == "unix" else f"tcp:127.0.0.1:{reserve_port()}"
        user = f"user = {WORKER_USER}\ngroup = {WORKER_USER}\n" if ROOT else ""
        configuration = directory / "fpm.conf"
        configuration.write_text(
            "[global]\nerror_log = /dev/stderr\ndaemonize = no\n[www]\n" + user +
            f"listen = {self.address.partition(':')[2]}\nlisten.mode = 0666\n"
            f"pm = static\npm.max_children = {children}\nclear_env = no\ncatch_workers_output = yes\n")
        self.log = directory / "fpm.log"
        environment = {**os.environ, "MARKS": str(marks)}
        words = [self.program(), "-F", "-O", "-y", configuration]
        self.process = Process(words, self.log, env=environment, start_new_session=True)
        wait_for(lambda: "ready to handle connections" in self.process.text(), "PHP-FPM to start")

    @staticmethod
    def program() -> str:
        """Debian's name has the version in it."""
        found = sorted(Path("/usr/sbin").glob("php-fpm*"))
        assert found, "php-fpm is not installed; tests/run installs what the tests need"
        return str(found[-1])

    def stop(self) -> None:
        if self.process.running():
            self.process.stop()


class Uwsgi:
    """uWSGI with two processes of the Flask application."""

    def __init__(self, protocol: str, stage, directory, marks, name: str = "uwsgi") -> None:
        self.path = directory / f"{name}.sock"
        self.address = f"unix:{self.path}"
        option = {"uwsgi": "--uwsgi-socket", "scgi": "--scgi-socket", "fastcgi": "--fastcgi-socket"}[protocol]
        self.words = ["/usr/bin/uwsgi", "--plugin", "python3", option, str(self.path), "--chmod-socket=666", "--master",
                      "--processes", "2", "--need-app", "--disable-logging", "--die-on-term",
                      "--wsgi-file", str(stage.put(SYSTEM / "apps" / "flask_app.py"))]
        self.log = directory / f"{name}.log"
        self.marks = marks
        self.start()

    def start(self) -> None:
        environment = {**os.environ, "MARKS": str(self.marks)}
        self.process = Process(self.words, self.log, env=environment, start_new_session=True)
        wait_for(lambda: "spawned uWSGI worker 2" in self.process.text(), "uWSGI to start")

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.write_text("")

    def stop(self) -> None:
        if self.process.running():
            self.process.stop()
