"""The FastCGI servers that the benchmark compares, started privately in a directory."""

import json
import os
import signal
import socket
import subprocess
import time

BODY = "Hello, world\n"
START_TIMEOUT = 15  # seconds
STOP_TIMEOUT = 10
MODELS = {"fibers": 1000, "threads": 8}  # and their limits


class ServerError(Exception):
    pass


def children_of(parent):
    """Process ids of the children of `parent`."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                after_name = file.read().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        if int(after_name[1]) == parent:
            found.append(int(entry))
    return sorted(found)


class Server:
    """One server process and its children. Subclasses say how it is started and what they are."""

    def __init__(self, name, directory):
        self.name = name
        self.path = os.path.join(directory, name + ".sock")
        self.address = "unix:" + self.path
        self.log = os.path.join(directory, name + ".log")
        self.process = None

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def processes(self):
        """Process ids by part: "master", "bridge", "workers"."""
        raise NotImplementedError

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment()})
        self.await_ready()

    def await_ready(self):
        self.await_condition(self.accepts, "to listen on " + self.address)

    def accepts(self):
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(self.path)
            except (FileNotFoundError, ConnectionRefusedError):
                return False
        return True

    def await_condition(self, condition, what):
        until = time.monotonic() + START_TIMEOUT
        while not condition():
            if self.process.poll() is not None:
                raise ServerError(f"{self.name}: ended with status {self.process.returncode}:\n"
                                  + self.last_lines())
            if time.monotonic() > until:
                raise ServerError(f"{self.name}: waited {START_TIMEOUT} s for it {what}:\n"
                                  + self.last_lines())
            time.sleep(0.01)

    def last_lines(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-20:])

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Libfcgi(Server):
    """libfcgi_hello: processes that accept on one listening socket, nothing between."""

    def __init__(self, binary, directory, processes):
        super().__init__("libfcgi", directory)
        self.binary = binary
        self.count = processes

    def command(self):
        return [self.binary, self.path, str(self.count)]

    def await_ready(self):
        super().await_ready()
        self.await_condition(lambda: len(children_of(self.process.pid)) == self.count,
                             f"to have {self.count} processes")

    def processes(self):
        return {"master": [self.process.pid], "workers": children_of(self.process.pid)}


class Direct(Server):
    """An SDK application on its own listening socket."""

    def __init__(self, app, directory, model):
        super().__init__("direct-" + model, directory)
        self.app = app
        self.model = model

    def command(self):
        return [self.app, "--fastcgi", self.address]

    def environment(self):
        return {"VIADUCT_MODEL": self.model, "VIADUCT_LIMIT": str(MODELS[self.model])}

    def processes(self):
        return {"workers": [self.process.pid]}


class Viaduct(Server):
    """viaductd with one bridge thread and one worker of an SDK application."""

    def __init__(self, viaductd, app, directory, model):
        super().__init__(model, directory)
        self.viaductd = viaductd
        self.app = app
        self.model = model
        self.config = os.path.join(directory, model + ".yaml")
        self.runtime = os.path.join(directory, model + ".run")
        self.notify = None

    def command(self):
        return [self.viaductd, "--config", self.config]

    def environment(self):
        return {"NOTIFY_SOCKET": self.runtime + ".notify"}

    def start(self):
        os.mkdir(self.runtime, 0o755)
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(self.configuration(), file, indent=2)  # JSON is YAML
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self.notify.bind(self.runtime + ".notify")
            self.notify.setblocking(False)
            super().start()
        finally:
            self.notify.close()

    def await_ready(self):
        self.await_condition(self.said_ready, "to say READY=1")

    def said_ready(self):
        try:
            return "READY=1" in self.notify.recv(65536).decode().splitlines()
        except BlockingIOError:
            return False

    def configuration(self):
        app = {"command": [self.app], "workers": 1,
               "concurrency": {"model": self.model, "limit": MODELS[self.model]}}
        if os.geteuid() == 0:
            app.update(user="root", allow_root=True)
        return {
            "runtime_dir": self.runtime,
            "log": {"level": "warn", "format": "text", "to": "stderr"},
            "access_log": {"to": "off"},
            "bridge": {"threads": 1},
            "listeners": [{"protocol": "fastcgi", "address": self.address, "app": "hello"}],
            "apps": {"hello": app},
        }

    def processes(self):
        """The bridge runs the master's executable, workers another."""
        master = self.process.pid
        parts = {"master": [master], "bridge": [], "workers": []}
        for child in children_of(master):
            same = os.path.samefile(f"/proc/{child}/exe", f"/proc/{master}/exe")
            parts["bridge" if same else "workers"].append(child)
        return parts
