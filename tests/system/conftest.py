import os
import resource
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import fronts  # noqa: E402
from harness.load import Load  # noqa: E402
from harness.many import MANY_CLIENTS, SPARE_DESCRIPTORS  # noqa: E402
from harness.paths import Stage  # noqa: E402
from harness.ports import release_ports, reserve_port  # noqa: E402
from harness.raw_responder import RawResponder  # noqa: E402
from harness.viaductd import Viaductd  # noqa: E402
from harness.ways import over_tcp  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than ten seconds; left out by tests/run --fast")
    results = os.environ.get("VIADUCT_RESULTS")
    if results and not config.option.xmlpath:
        Path(results).mkdir(parents=True, exist_ok=True)
        config.option.xmlpath = str(Path(results) / (os.environ["VIADUCT_TEST"] + ".xml"))


def pytest_collection_modifyitems(items):
    if os.environ.get("VIADUCT_FAST"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow"))


@pytest.fixture(scope="session")
def stage():
    """A world-readable directory for executables, with a short name."""
    made = Stage()
    yield made
    made.remove()


@pytest.fixture(autouse=True)
def ports():
    """Ports that a test reserves are its own until everything that it has started is gone."""
    yield
    release_ports()


@pytest.fixture
def directory(stage):
    """A directory of the test's own with a short name; gone afterwards."""
    made = Stage()
    yield made.path
    made.remove()


@pytest.fixture
def logs(request):
    """Log files (anything with text(), or a path) to show when the test fails."""
    shown = []
    request.node.shown_logs = shown
    return shown


@pytest.fixture
def stopping():
    """Things with stop(), stopped in reverse order."""
    things = []
    yield things
    for thing in reversed(things):
        thing.stop()


@pytest.fixture
def start_front(directory, stopping, logs):
    """start_front("nginx-scgi", upstream): a running front server of that variant."""

    def start(variant: str, upstream: str) -> fronts.Front:
        kind, options = fronts.VARIANTS[variant]
        if kind.executable() is None:
            pytest.fail(f"{kind.program} is not installed; tests/run installs what the tests need")
        front = kind(directory / variant, str(upstream), **options)
        logs.append(front)
        stopping.append(front)
        return front.start()

    return start


@pytest.fixture
def viaductd(stage, directory, stopping, logs):
    """A daemon, configured by the test, then started with viaductd.start()."""
    made = Viaductd(stage, directory)
    logs.append(made)
    stopping.append(made)
    yield made
    if made.process and made.process.running():
        assert made.stop() == 0, "viaductd did not end cleanly"
    for report in ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:"):
        assert report not in made.text()


@pytest.fixture
def serve_answers(viaductd, directory, stopping, logs):
    """serve_answers(make, protocol, answers): a front server, made by make(directory, socket), on the way
    to a program that sends these answers (see RawResponder), and that program."""

    def begin(make, protocol: str, answers, dying=(), tcp=False, **keys):
        program = RawResponder(directory / "program.sock", answers, dying)
        stopping.append(program)
        viaductd.settings["apps"]["web"] = {"connect": [f"unix:{directory}/program.sock"]}
        socket = str(directory / "front.sock")
        port = reserve_port() if tcp else 0
        where = {"address": f"tcp:127.0.0.1:{port}"} if tcp else {"address": f"unix:{socket}", "mode": "0666"}
        viaductd.settings["listeners"].append({"protocol": protocol, **where, "app": "web", **keys})
        viaductd.start()
        server = make(directory / "front", socket)
        if tcp:
            over_tcp(server, socket, port)
        logs.append(server)
        stopping.append(server)
        return server.start(), program

    return begin


@pytest.fixture
def many_descriptors():
    """Raises the limit as far as the test needs, here and in what is started; how many clients the
    machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_CLIENTS + SPARE_DESCRIPTORS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
    yield allowed - SPARE_DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def start_load(directory, stopping, logs):
    """start_load(port, ...): the load generator, running."""

    def start(port: int, **options) -> Load:
        load = Load(directory, port, **options)
        stopping.append(load)
        logs.append(load)
        return load

    return start


@pytest.fixture
def inner(stage, directory, stopping, logs):
    """A second viaductd, not started yet."""
    below = directory / "inner"
    below.mkdir()
    below.chmod(0o755)
    second = Viaductd(stage, below)
    logs.append(second)
    stopping.append(second)
    second.app("sdk", workers=2)
    return second


def read_if_there(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else "(not there)"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for log in getattr(item, "shown_logs", []):
            text = log.text() if hasattr(log, "text") else read_if_there(Path(log))
            report.sections.append((f"log of {getattr(log, 'name', log)}", text[-12000:]))
