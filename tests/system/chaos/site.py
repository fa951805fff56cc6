"""The daemon and the front servers that are disturbed."""

import copy
import shutil
import time
from pathlib import Path

from harness.process import children, command_line
from harness.tool import Tool
from harness.viaductd import Viaductd

# A request without an answer for so long has hung. Longer than all that the daemon allows it.
HUNG = 120.0

WORKERS = 4
EVENT_MS = 100

_LIMITS = {"start": "60s", "connect": "10s", "queue": "30s", "request": "60s", "stall": "90s",
           "abort": "60s", "stop": "60s"}


class Site:
    """Apps: `web` and `api` on the SDK, fibers and threads, `legacy` on libfcgi answer in short;
    `stream` sends downloads, `events` event streams. `buffered` and `direct` are nginx with and
    without its buffers."""

    apps = ("web", "api", "legacy", "stream", "events")

    def __init__(self, viaductd: Viaductd, start_front, threads: int) -> None:
        """`threads`: of the bridge."""
        self.daemon = viaductd
        self.threads = threads
        viaductd.settings["bridge"] = {"threads": threads}
        self.tool = Tool(viaductd)
        self._configure()
        viaductd.start()
        self.fronts = {name: start_front(name, viaductd.socket) for name in ("nginx", "nginx-unbuffered")}
        self.buffered = self.fronts["nginx"].port
        self.direct = self.fronts["nginx-unbuffered"].port

    def _configure(self) -> None:
        common = {"workers": WORKERS, "timeouts": _LIMITS, "isolation": {"core": 0}}
        many = {"concurrency": {"model": "fibers", "limit": 200}}
        threads = {"concurrency": {"model": "threads", "limit": 8}}

        def add(kind: str, name: str, **keys) -> None:
            # No two apps share a dictionary: YAML would write it as an alias.
            self.daemon.app(kind, name, **copy.deepcopy({**common, **keys}))

        add("sdk", "web", **many, limits={"requests": 1500})
        add("sdk", "api", **threads)
        add("libfcgi", "legacy", limits={"requests": 1000})
        add("sdk", "stream", **many)
        # Every stream has to agree on the time, whichever process serves it.
        clock = {"START": str(int(time.time()) - 10), "EVERY_MS": str(EVENT_MS)}
        add("events", "events", env=clock, **many)
        # Each has a program of its own, which can be replaced alone.
        for name, app in self.daemon.settings["apps"].items():
            program = Path(app["command"][0])
            own = program.with_name(f"{program.name}-{name}")
            shutil.copy2(program, own)
            app["command"] = [str(own), *app["command"][1:]]
        self.daemon.settings["listeners"] = [
            {
                "protocol": "fastcgi",
                "address": f"unix:{self.daemon.socket}",
                "mode": "0666",
                "routes": [
                    {"path": "/sleep", "app": "api"},
                    {"path": "/early", "app": "legacy"},
                    {"path": "/pid", "app": "legacy"},
                    {"path": "/endless", "app": "legacy"},
                    {"path": "/generate", "app": "stream"},
                    {"path": "/events", "app": "events"},
                    {"path": "/", "app": "web"},
                ],
            }
        ]

    # what can be seen

    def status(self) -> dict:
        result = self.tool.run("--json", "--timeout", f"{HUNG:g}s", "status", timeout=2 * HUNG)
        assert result.status == 0, result
        return result.json

    def is_settled(self, status: dict) -> bool:
        """One generation, and every app has the workers it should have and no others."""
        return (
            status["state"] == "serving"
            and [generation["state"] for generation in status["generations"]] == ["active"]
            and status["generations"][0]["bridge_pid"] != 0
            and [app["name"] for app in status["apps"]] == list(self.apps)
            and all(
                len(app["workers"]) == app["wanted"]
                and all(worker["state"] == "ready" for worker in app["workers"])
                for app in status["apps"]
            )
        )

    def bridges(self) -> list[int]:
        return [pid for pid in children(self.daemon.pid) if command_line(pid)[:1] == ["viaductd: bridge"]]

    # what can be changed

    def change_environment(self, app: str, value: int) -> None:
        self.daemon.settings["apps"][app]["env"]["NUMBER"] = str(value)
        self.daemon.write()

    def replace_program(self, app: str) -> None:
        """Installs the app's program anew, as a package manager does."""
        program = Path(self.daemon.settings["apps"][app]["command"][0])
        new = program.with_name(program.name + ".new")
        shutil.copyfile(program, new)
        new.chmod(0o755)
        new.replace(program)
