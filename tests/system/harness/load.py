"""The load generator of tests/system/load: every answer is verified, every failure reported."""

import json
import signal
import time
from pathlib import Path
from typing import Optional

from .paths import built
from .process import Process


class Load:
    """Runs from construction until finish(), or for `seconds`; then until it has made `least`
    requests, which a busy machine takes longer for. With `most`, until it has made so many."""

    def __init__(
        self,
        directory: Path,
        port: int,
        concurrency: int = 64,
        mix: str = "get",
        close: bool = False,
        target: str = "/hello",
        expect: str = "hello\n",
        post_bytes: int = 40000,
        seconds: float = 0,
        least: int = 1,
        most: Optional[int] = None,
        timeout: float = 30,
    ) -> None:
        arguments = [built("load"), "--port", port, "--concurrency", concurrency, "--mix", mix]
        arguments += ["--target", target, "--expect", expect, "--post-bytes", post_bytes]
        arguments += ["--seconds", seconds, "--least", least]
        arguments += ["--timeout", timeout]
        if most is not None:
            arguments += ["--most", most]
        if close:
            arguments.append("--close")
        self.name = "load"
        self.began = time.monotonic()  # before what its failures are counted from
        number = len(list(directory.glob("load-*.log")))
        self.process = Process(arguments, directory / f"load-{number}.log")
        self.report: Optional[dict] = None

    def running(self) -> bool:
        return self.process.running()

    def wait(self, timeout: float) -> dict:
        """For a load with a given duration."""
        self.process.wait(timeout)
        return self._read()

    def finish(self, timeout: float = 60) -> dict:
        """Ends it; requests in flight are still answered and counted."""
        self.process.send(signal.SIGTERM)
        self.process.wait(timeout)
        return self._read()

    def _read(self) -> dict:
        text = self.process.text()
        try:
            self.report = json.loads(text.splitlines()[-1])
        except (ValueError, IndexError):
            raise AssertionError(f"the load generator said: {text}") from None
        return self.report

    def stop(self) -> None:
        if self.process.running():
            self.process.child.kill()
            self.process.child.wait()

    def text(self) -> str:
        return self.process.text()


def assert_clean(report: dict) -> None:
    """Zero failed requests, and not of none."""
    assert report["failed"] == 0, "\n".join([f"{report['failed']} failed of {report['requests']}"] + report["failures"])
    assert report["requests"] > 0, report
