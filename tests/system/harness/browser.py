"""A headless Chromium, driven by chromedriver in the W3C WebDriver protocol (JSON over HTTP,
https://www.w3.org/TR/webdriver2/)."""

import http.client
import json
import os
import shutil
from pathlib import Path
from typing import Optional

from .paths import ROOT
from .process import PATIENCE, Process, complete_lines, wait_for

# The key under which WebDriver sends a reference to an element (section 12.2).
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

SWITCHES = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if ROOT else []),
]


class DriverError(Exception):
    """What WebDriver answers in place of a value: its error code and its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Driver:
    """A running chromedriver, which starts browsers."""

    name = "chromedriver"

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = 0
        self.process: Optional[Process] = None
        directory.mkdir()

    @staticmethod
    def missing() -> list[str]:
        """Programs that are not installed."""
        return [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]

    def start(self) -> "Driver":
        self.process = Process(
            ["chromedriver", "--port=0"],
            self.directory / "chromedriver.log",
            env={**os.environ, "HOME": str(self.directory)},
        )

        def said() -> str:
            assert self.process.running(), self.text()
            return next((l for l in complete_lines(self.text()) if "successfully on port" in l), "")

        self.port = int(wait_for(said, "chromedriver names its port").rstrip(".").split()[-1])
        return self

    def stop(self) -> None:
        if self.process:
            self.process.stop()

    def text(self) -> str:
        return self.process.text() if self.process else ""

    def call(self, method: str, path: str, body: Optional[dict] = None):
        """The value that a command returns; throws DriverError."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise DriverError(value["error"], value["message"])
        return value


class Browser:
    """One browser with a profile of its own, and the page it shows. Elements are named by XPath;
    members wait until there is such an element."""

    name = "browser"

    def __init__(self, driver: Driver, directory: Path) -> None:
        self.driver = driver
        self.downloads = directory / "downloads"
        self.downloads.mkdir(parents=True)
        options = {
            "args": [*SWITCHES, f"--user-data-dir={directory / 'profile'}"],
            "prefs": {"download.default_directory": str(self.downloads)},
        }
        wanted = {"browserName": "chrome", "goog:chromeOptions": options}
        made = driver.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{made['sessionId']}"

    def stop(self) -> None:
        self.driver.call("DELETE", self.session)

    def _ask(self, what: str):
        return self.driver.call("GET", self.session + what)

    def _do(self, what: str, **parameters):
        return self.driver.call("POST", self.session + what, parameters)

    # the page

    def open(self, url: str) -> None:
        self._do("/url", url=url)

    def url(self) -> str:
        return self._ask("/url")

    def title(self) -> str:
        return self._ask("/title")

    def text(self) -> str:
        """What a person can read on the page."""
        return self.run("return document.body ? document.body.innerText : ''")

    def shows(self, text: str, without: str = "") -> str:
        """Waits until the page shows `text`, and not `without`; returns all that it shows. After a
        click the page before may still be there: name what only the new one has, or lacks."""

        def found() -> str:
            shown = self.text()
            return shown if text in shown and not (without and without in shown) else ""

        what = f"the page shows {text!r}" + (f" without {without!r}" if without else "")
        try:
            return wait_for(found, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows:\n{self.text()}") from None

    def run(self, script: str):
        """Runs a function's body in the page; returns its value."""
        return self._do("/execute/sync", script=script, args=[])

    def downloaded(self, name: str) -> bytes:
        """Waits until a file of that name has been downloaded; its content."""
        path = self.downloads / name
        wait_for(
            lambda: path.exists() and not list(self.downloads.glob("*.crdownload")),
            f"{name} is downloaded",
        )
        return path.read_bytes()

    # elements

    def has(self, xpath: str) -> bool:
        return bool(self._do("/elements", using="xpath", value=xpath))

    def click(self, xpath: str) -> None:
        self._do(f"/element/{self._find(xpath)}/click")

    def type(self, xpath: str, text: str) -> None:
        """Types into a field behind what is there; for a file field, the path of a file."""
        self._do(f"/element/{self._find(xpath)}/value", text=text)

    def clear(self, xpath: str) -> None:
        self._do(f"/element/{self._find(xpath)}/clear")

    def _find(self, xpath: str) -> str:
        found = wait_for(
            lambda: self._do("/elements", using="xpath", value=xpath), f"the page has {xpath}"
        )
        assert len(found) == 1, f"{len(found)} elements are {xpath}"
        return found[0][ELEMENT]
