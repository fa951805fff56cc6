"""Slow log and crash reports: which handler it was."""

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import fastcgi
from harness.patch import patched
from harness.paths import SOURCE, example as example_program
from harness.process import complete_lines, wait_for

MODELS = ("threads", "fibers")


def lambda_of(function: str, number: int) -> str:
    """The symbol of a handler that is a lambda: itself, or inlined where std::function calls it."""
    name = rf"{function}::\{{lambda\(viaduct[^{{}}]*\)#{number}\}}"
    return rf"^{name}::operator\(\)[^{{}}]*$|, {name}>::_M_invoke"


# Of each example: what is asked for, the function that handles it (a regular expression for its
# symbol), and what its traces have to contain.
HANDLERS = {
    "compose": ("/", lambda_of(r"compose::make_app\([^{}]*\)", 1), "compose::make_app("),
    "events": ("/clock", r"^events::\(anonymous namespace\)::clock\(", "::clock(viaduct"),
    "gate": ("/", lambda_of("main", 2), "main::{lambda(viaduct"),
    "hello": ("/", lambda_of("main", 1), "main::{lambda(viaduct"),
    "notes": ("/", lambda_of(r"notes::[^{}]*page_routes\([^{}]*\)", 1), "page_routes("),
    "stream": ("/bytes/30", r"^\(anonymous namespace\)::bytes\(", "::bytes(viaduct"),
    "upload": ("/upload", r"^\(anonymous namespace\)::upload\(", "::upload(std"),
}
# Sources of which a trace may name a line.
LINES = {
    path.name: len(path.read_text().splitlines())
    for folder in ("sdk", "protocol")
    for path in (SOURCE / folder).rglob("*.[ch]pp")
}
SITES = [f"{example}-{model}" for example in HANDLERS for model in MODELS]


def test_every_example_is_looked_at():
    sources = SOURCE / "sdk" / "examples"
    examples = {path.stem for path in sources.glob("*.cpp")}
    examples |= {path.parent.name for path in sources.glob("*/main.cpp")}
    assert examples == set(HANDLERS)


def add_examples(viaductd, what: str, **keys) -> None:
    """Every example under both models, its handler patched, at /NAME-MODEL."""
    users = viaductd.directory / "gate.users"
    users.write_text("ann:$6$saltsalt$x\n")
    routes = []
    for example, (_, function, _) in HANDLERS.items():
        program = patched(example_program(example), viaductd.directory / example, function, what)
        for model in MODELS:
            name = f"{example}-{model}"
            viaductd.command(
                str(program),
                name=name,
                concurrency={"model": model},
                env={
                    "ADMIN_PASSWORD": "secret",
                    "NOTES_DATABASE": str(viaductd.marks / f"{name}.db"),
                    "USERS": str(users),
                },
                **keys,
            )
            routes.append({"path": f"/{name}", "mount": True, "app": name})
    viaductd.settings["listeners"] = [
        {
            "protocol": "fastcgi",
            "address": f"unix:{viaductd.socket}",
            "mode": "0666",
            "routes": routes,
        }
    ]


def visit(viaductd, site: str) -> int:
    example = site.partition("-")[0]
    method = "POST" if example == "upload" else "GET"
    return fastcgi.request(
        viaductd.socket, f"/{site}{HANDLERS[example][0]}", method=method, REQUEST_ID=f"id-{site}"
    ).status


def names_lines_of(stack: str, example: str) -> bool:
    """Whether the stack names a line of the example, or, where its handler is a lambda that stops at its
    first instruction, which belongs to std::function, of the SDK. Each line that it names must be there."""
    sources = SOURCE / "sdk" / "examples"
    known = {path.name for path in (*sources.glob(f"{example}.cpp"), *sources.glob(f"{example}/*.cpp"))}
    places = [(file, int(line)) for file, line in re.findall(r" at ([\w.+-]+):(\d+)\b", stack)]
    for file, line in places:
        assert file not in LINES or 0 < line <= LINES[file], f"{file}:{line} of {example}"
    assert str(SOURCE) not in stack
    if "lambda" in HANDLERS[example][1]:
        known |= set(LINES)
    return any(file in known for file, _ in places)


def at_once(work, sites) -> list:
    """Two at a time: loops, and putting a stack into words, take the processor."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(work, sites))


def test_slow_log_names_the_handler_of_every_example(viaductd, logs):
    log = viaductd.directory / "slow.log"
    logs.append(log)
    add_examples(
        viaductd,
        "loop",
        slow_log=str(log),
        timeouts={"slow": "200ms", "request": "3s", "abort": "1s", "stop": "1s"},
    )
    viaductd.start()

    def record(site: str, message: str) -> bool:
        example, _, model = site.partition("-")
        wanted = (f"{message} app={site} ", f"id=id-{site} ", HANDLERS[example][2])
        lines = [
            line for line in complete_lines(log.read_text()) if all(part in line for part in wanted)
        ]
        return any(names_lines_of(line, example) for line in lines)

    def look(site: str) -> None:
        def told() -> bool:
            # While the worker is replaced that the visit before has blocked, it may be anything.
            assert visit(viaductd, site) >= 502
            return record(site, "slow request") and record(
                site, "request aborted: timeouts.request passed"
            )

        # On a busy machine a worker may be stopped before it has put a stack into words.
        wait_for(told, f"both records of {site} have its handler", 60)

    at_once(look, SITES)


# ---- crash reports


class Crashes:
    """The crash directory of a daemon."""

    def __init__(self, viaductd) -> None:
        self.viaductd = viaductd
        self.directory = viaductd.directory / "crashes"

    def files(self, app: str = "web") -> list[Path]:
        found = re.compile(rf"{app}-\d{{8}}-\d{{6}}-\d+\.txt")
        return sorted(p for p in self.directory.glob("*") if found.fullmatch(p.name))

    def report(self, app: str = "web") -> str:
        """The first report of the app, as soon as it is there and logged."""
        record = self.viaductd.logged(f"worker crashed app={app} ")
        path = Path(re.search(r"crash_report=(\S+)", record).group(1))
        assert self.files(app)[0] == path
        assert path.stat().st_mode & 0o7777 == 0o640
        return path.read_text()

    def record(self, app: str = "web") -> str:
        return self.viaductd.logged(f"worker crashed app={app} ")


@pytest.fixture
def crashes(viaductd):
    return Crashes(viaductd)


def serve(viaductd, crashes, kind="sdk", model=None, **keys):
    if model:
        keys["concurrency"] = {"model": model, "limit": 4}
    return viaductd.app(kind, crash_dir=str(crashes.directory), retry="never", **keys)


def test_crash_report_names_the_handler_of_every_example(viaductd, crashes):
    add_examples(viaductd, "crash", crash_dir=str(crashes.directory), retry="never")
    viaductd.start()

    def look(site: str) -> None:
        example, _, model = site.partition("-")
        assert visit(viaductd, site) == 502
        report = crashes.report(site)
        target, handler = HANDLERS[example][0], HANDLERS[example][2]
        assert report.startswith(f"{site}/1 killed by SIGILL")
        kind = model.rstrip("s")
        method = "POST" if example == "upload" else "GET"
        line = f"{method} /{site}{target} id=id-{site}"
        assert f"\n  in {kind}: {line}\n" in report
        assert "\nRequests that it had: 1\n" in report and f"\n  {line} age_ms=" in report
        stack = report.partition("What the worker says of it")[2].partition("Requests that it had")[0]
        assert handler in stack
        assert names_lines_of(stack, example), stack
        assert handler in crashes.record(site)

    at_once(look, SITES)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "target, signal_name, said",
    [
        ("/crash", "SIGABRT", "SIGABRT, thread "),
        ("/crash/null", "SIGSEGV", "SIGSEGV at address 0x0, thread "),
        ("/crash/overflow", "SIGSEGV", ", the stack is full, thread "),
        ("/crash/uncaught", "SIGABRT", "uncaught std::runtime_error: thrown where nobody may\n"),
    ],
)
def test_crash_report_of_every_kind(viaductd, crashes, model, target, signal_name, said):
    serve(viaductd, crashes, model=model)
    viaductd.start()
    assert fastcgi.request(viaductd.socket, target, method="POST").status == 502
    report = crashes.report()
    assert report.startswith(f"web/1 killed by {signal_name}")
    assert said in report
    handler = "crash" + target[len("/crash") :].replace("/", "_")
    assert f"{handler}(" in report
    assert f"POST {target}" in report
    record = crashes.record()
    assert f" signal={signal_name} " in record and " requests_lost=1 " in record
    assert f"{handler}(" in record
    assert "viaduct-crash" not in viaductd.text()
    # The next worker serves.
    assert fastcgi.request(viaductd.socket, "/hello").status == 200


def test_all_requests_in_flight_are_named(viaductd, crashes):
    serve(viaductd, crashes, model="threads")
    viaductd.start()
    with fastcgi.Client(viaductd.socket) as client:
        client.send(
            fastcgi.begin(1)
            + fastcgi.stream(
                fastcgi.PARAMS,
                1,
                fastcgi.pairs(fastcgi.variables("GET", "/wait?mark=a", REQUEST_ID="first")),
            )
            + fastcgi.stream(fastcgi.STDIN, 1, b"")
        )
        viaductd.mark("a")
        target = "/crash/null?" + "x" * 300 + "\x1b[2J"
        fastcgi.request(viaductd.socket, target, method="POST", REQUEST_ID="second")
        report = crashes.report()
    assert "\nRequests that it had: 2\n" in report
    assert "\n  GET /wait?mark=a id=first age_ms=" in report
    assert f"\n  POST {target[:256]}... id=second age_ms=" in report
    assert "\x1b" not in report
    assert "GET /wait" in crashes.record() and "POST /crash" in crashes.record()


def test_plain_worker_has_a_report_without_a_stack(viaductd, crashes):
    serve(viaductd, crashes, "libfcgi")
    viaductd.start()
    fastcgi.request(viaductd.socket, "/stderr?text=last%20words")
    assert fastcgi.request(viaductd.socket, "/crash?\x1b[2J").status == 502
    report = crashes.report()
    assert report.startswith("web/1 killed by SIGABRT")
    assert "\nWhat the worker says of it\n  (none)\n" in report
    assert "\n  GET /crash?\\x1b[2J age_ms=" in report
    assert "of the process\n" in report.partition("Last lines on its standard error")[2]
    assert re.search(r"\ncore file: (dumped|none), pattern \S", report)


def test_only_crashes_are_reported(viaductd, crashes):
    serve(viaductd, crashes)
    viaductd.start()
    for number in (signal.SIGKILL, signal.SIGTERM):
        worker = viaductd.workers()[0]
        os.kill(worker, number)
        wait_for(lambda: viaductd.workers() and worker not in viaductd.workers(), "a new worker")
        wait_for(lambda: fastcgi.request(viaductd.socket, "/hello").status == 200, "it serves")
    viaductd.reload()
    assert viaductd.stop() == 0
    assert not crashes.files()
    assert "worker crashed" not in viaductd.text()


def test_reports_are_limited(viaductd, crashes):
    crashes.directory.mkdir()
    old = [crashes.directory / f"web-20010101-{i:06}-7.txt" for i in range(100)]
    for path in old:
        path.write_text("old\n")
    foreign = crashes.directory / "web-of-lies.txt"
    foreign.write_text("kept\n")
    serve(viaductd, crashes)
    viaductd.start()
    fastcgi.request(viaductd.socket, "/crash")
    viaductd.logged("worker crashed app=web ")
    files = crashes.files()
    assert len(files) == 100
    assert files[:-1] == old[1:] and files[-1] not in old
    assert foreign.exists()


def test_unwritable_directory_is_said_at_the_start(viaductd, crashes):
    crashes.directory.write_text("in the way\n")
    serve(viaductd, crashes)
    viaductd.start(ready=False)
    assert viaductd.process.wait() == 78
    wanted = f"apps.web.crash_dir: {crashes.directory}: Not a directory"
    assert wanted in viaductd.text()
    assert wanted in viaductd.check().stderr


def test_directory_that_becomes_unwritable_costs_the_file_only(viaductd, crashes):
    serve(viaductd, crashes)
    viaductd.start()
    crashes.directory.rmdir()
    crashes.directory.write_text("in the way\n")
    fastcgi.request(viaductd.socket, "/crash")
    record = viaductd.logged("worker crashed app=web ")
    assert 'crash_report=""' in record and "crash(" in record
    assert f"crash report cannot be written app=web error=\"crash_dir {crashes.directory}" in viaductd.text()
