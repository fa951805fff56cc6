"""Where things are."""

import os
import shutil
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("VIADUCT_BUILD", SOURCE / "build" / "release")).resolve()
CONF = SOURCE / "conf"
SYSTEM = SOURCE / "tests" / "system"

ROOT = os.geteuid() == 0


def built(name: str) -> Path:
    """The executable of that name below the build directory."""
    for candidate in (
        BUILD / "tests" / "system" / name,
        BUILD / "sdk" / "examples" / name,
        BUILD / "daemon" / name,
        BUILD / name,
    ):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    # Tests that build packages make and remove directories there meanwhile: os.walk() forgives that.
    for directory, _, files in os.walk(BUILD):
        candidate = Path(directory) / name
        if name in files and os.access(candidate, os.X_OK):
            return candidate
    raise FileNotFoundError(f"{name} is not built below {BUILD}; cmake --build it first")


def example(name: str) -> Path:
    """The SDK's example of that name: a test application may have the same one."""
    return BUILD / "examples" / name


class Stage:
    """A directory every user may search, with a short name (a socket's path has 107 bytes), into
    which executables are copied: the checkout may be readable by its owner only, and workers run
    as somebody else when the tests run as root."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="vd-"))
        self.path.chmod(0o755)

    def put(self, source: Path) -> Path:
        target = self.path / source.name
        if not target.exists():
            shutil.copy2(source, target)
            target.chmod(0o755)
        return target

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
