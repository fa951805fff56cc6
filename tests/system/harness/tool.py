"""The viaduct command, against a daemon of the test's own."""

import json
import subprocess
from dataclasses import dataclass
from typing import Optional

from .paths import built
from .process import PATIENCE


@dataclass
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Tool:
    def __init__(self, viaductd) -> None:
        self.program = viaductd.stage.put(built("viaduct"))
        self.control = str(viaductd.directory / "run" / "control.sock")

    def command(self, *words: str) -> list[str]:
        return [str(self.program), "--control", self.control, *words]

    def start(self, *words: str, **options) -> subprocess.Popen:
        return subprocess.Popen(
            self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )

    def run(
        self,
        *words: str,
        user: Optional[int] = None,
        group: Optional[int] = None,
        groups=None,
        timeout: float = PATIENCE,
    ) -> Result:
        """Waits for its end. As another user when the test is run by root."""
        identity = {}
        if user is not None:
            identity = {"user": user, "group": group, "extra_groups": groups or []}
        process = self.start(*words, **identity)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"viaduct {' '.join(words)} did not end: {process.communicate()}") from None
        return Result(process.returncode, out, err)

    def done(self, *words: str) -> str:
        """Its output; it must have succeeded."""
        result = self.run(*words)
        assert result.status == 0, result
        assert result.err == ""
        return result.out

    def status(self) -> dict:
        return json.loads(self.done("--json", "status"))
