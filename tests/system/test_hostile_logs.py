"""Files that a viaductd which is root reads and writes, in reach of another user."""

import copy
import os
from pathlib import Path
from typing import Callable

import pytest

from harness import fastcgi, scgi
from harness.hostile import SECRET, Exchanger, Victim, as_user, own_directory
from harness.paths import ROOT
from harness.process import wait_for
from harness.tool import Tool
from harness.viaductd import WORKER_USER

pytestmark = pytest.mark.skipif(not ROOT, reason="about being root")

CONFIGURATION = 78
# Nobody waits for the other end of a pipe: an attempt to open one would take for ever.
PROMPT = 20


@pytest.fixture
def victim(directory):
    made = Victim(directory)
    yield made
    made.check()


@pytest.fixture
def place(viaductd):
    """A directory of the app's user."""
    viaductd.app("sdk")
    return own_directory(viaductd.directory / "place", WORKER_USER)


def serves(viaductd) -> bool:
    return scgi.request(viaductd.scgi, "/hello").body == b"hello\n"


# Keys that name a file to write, and how they are set.
LOGS: dict[str, Callable] = {
    "log.to": lambda settings, path: settings.update(log={"to": path}),
    "access_log.to": lambda settings, path: settings.update(access_log={"to": path}),
    "apps.web.log.to": lambda settings, path: settings["apps"]["web"].update(log={"to": path}),
    "apps.web.slow_log": lambda settings, path: settings["apps"]["web"].update(slow_log=path),
}
KEYS = LOGS | {
    "apps.web.crash_dir": lambda settings, path: settings["apps"]["web"].update(crash_dir=path),
    "apps.web.env_file[0]": lambda settings, path: settings["apps"]["web"].update(env_file=[path]),
}


def refused_start(viaductd, key: str, *words: str) -> None:
    """It does not start, and says by file and line why; nor is a check content."""
    before = len(viaductd.text())
    viaductd.start(ready=False)
    assert viaductd.process.wait(PROMPT) == CONFIGURATION, key
    said = viaductd.text()[before:]
    lines = [one for one in said.splitlines() if f": {key}: " in one]
    errors = [one for one in lines if one.startswith(f"{viaductd.file}:")]
    assert any(all(word in one for word in words) for one in errors), said


# ---- pipes


@pytest.mark.parametrize("key", KEYS)
def test_nobody_waits_for_a_pipe(viaductd, place, key):
    """Neither start, --check nor reload: each names it."""
    pipe = place / "pipe"
    as_user(WORKER_USER, lambda: os.mkfifo(pipe, 0o666))
    former = copy.deepcopy(viaductd.settings)
    KEYS[key](viaductd.settings, str(pipe))
    refused_start(viaductd, key, str(pipe))
    checked = viaductd.check()
    assert checked.returncode == CONFIGURATION
    assert f": {key}: {pipe}: " in checked.stderr
    viaductd.settings = former
    viaductd.start()
    KEYS[key](viaductd.settings, str(pipe))
    viaductd.write()
    answer = Tool(viaductd).run("reload", timeout=PROMPT)
    assert answer.status == CONFIGURATION and str(pipe) in answer.err
    assert serves(viaductd)


@pytest.mark.parametrize("key", LOGS)
def test_a_pipe_that_takes_the_place_of_a_log_is_not_opened(viaductd, place, key):
    log = place / "log"
    LOGS[key](viaductd.settings, str(log))
    viaductd.start()
    wait_for(log.exists, "the log is there")
    log.rename(place / "former")
    as_user(WORKER_USER, lambda: os.mkfifo(log, 0o666))
    answer = Tool(viaductd).run("reopen", timeout=PROMPT)
    assert answer.status == 1 and str(log) in answer.err
    assert serves(viaductd)


@pytest.mark.parametrize("target", ["/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2"])
def test_own_descriptors_may_be_anything(viaductd, target):
    """Pipes, as a container's are."""
    viaductd.app("sdk")
    viaductd.settings |= {"log": {"to": target}, "access_log": {"to": target}}
    ends = os.pipe()
    os.set_blocking(ends[0], False)
    viaductd.start(
        prefix=["/bin/bash", "-c", f'exec "$@" >&{ends[1]} 2>&{ends[1]} {ends[1]}>&-', "bash"],
        pass_fds=[ends[1]],
    )
    os.close(ends[1])
    assert serves(viaductd)
    seen = b""

    def both() -> bool:
        nonlocal seen
        try:
            seen += os.read(ends[0], 65536)
        except BlockingIOError:
            pass
        return b"worker started" in seen and b"/hello" in seen

    wait_for(both, "lines of both logs come through the pipe")
    assert viaductd.stop() == 0
    os.close(ends[0])


def test_character_devices_are_written_and_read(viaductd):
    viaductd.app("sdk", env_file=["/dev/null"], slow_log="/dev/null", log={"to": "/dev/null"})
    viaductd.settings |= {"log": {"to": "/dev/null"}, "access_log": {"to": "/dev/null"}}
    viaductd.write()
    assert viaductd.check().returncode == 0
    viaductd.start()
    assert serves(viaductd)


# ---- env_file


def test_root_reads_no_env_file_that_the_app_exchanges_for_its_own(viaductd, place, victim):
    """A link to what only root reads: neither its values nor a word of it get anywhere."""
    env = place / "env"
    as_user(WORKER_USER, lambda: env.symlink_to(victim.file))
    viaductd.settings["apps"]["web"]["env_file"] = [str(env)]
    refused_start(viaductd, "apps.web.env_file[0]", "Permission denied", f"read as user {WORKER_USER}")
    checked = viaductd.check()
    assert checked.returncode == CONFIGURATION and "Permission denied" in checked.stderr
    env.unlink()
    as_user(WORKER_USER, lambda: env.write_text("COLOUR=blue\n"))
    viaductd.start()
    assert b"COLOUR=blue" in Path(f"/proc/{viaductd.workers()[0]}/environ").read_bytes()
    as_user(WORKER_USER, lambda: (env.unlink(), env.symlink_to(victim.file)))
    answer = Tool(viaductd).run("reload")
    assert answer.status == CONFIGURATION and "Permission denied" in answer.err
    assert serves(viaductd)
    secret = SECRET.strip()
    for text in (viaductd.text(), checked.stderr, checked.stdout, answer.err, answer.out):
        assert secret not in text


def test_an_env_file_is_never_quoted(viaductd, place):
    secret = "PASSW RD=hunter2\nno assignment but a s3cret\nA='open\n"
    env = place / "env"
    for line in secret.splitlines():
        env.write_text(line + "\n")
        viaductd.settings["apps"]["web"]["env_file"] = [str(env)]
        viaductd.start(ready=False)
        assert viaductd.process.wait() == CONFIGURATION
        checked = viaductd.check()
        assert checked.returncode == CONFIGURATION and f"{env}:1:1: " in checked.stderr
        for word in ("hunter2", "s3cret", "PASSW RD", "open"):
            assert word not in checked.stderr.replace("opened", ""), word
            assert word not in viaductd.text().replace("opened", ""), word


def test_an_env_file_of_root_is_read_by_root(viaductd):
    """Where nobody else can exchange it or a directory above it."""
    viaductd.app("sdk")
    env = Path(f"/etc/viaduct-test-{os.getpid()}.env")
    env.touch(mode=0o600)
    try:
        env.write_text("COLOUR=green\n")
        viaductd.settings["apps"]["web"]["env_file"] = [str(env)]
        viaductd.start()
        assert b"COLOUR=green" in Path(f"/proc/{viaductd.workers()[0]}/environ").read_bytes()
    finally:
        env.unlink()


# ---- logs


def hard_link(log: Path, victim: Victim) -> None:
    """The kernel may keep the user from it (protected_hardlinks), not every kernel does."""
    os.link(victim.file, log)


def link(log: Path, victim: Victim) -> None:
    as_user(WORKER_USER, lambda: log.symlink_to(victim.file))


def link_to_nothing(log: Path, victim: Victim) -> None:
    as_user(WORKER_USER, lambda: log.symlink_to(victim.directory / "new"))


PLANTS = [hard_link, link, link_to_nothing]


@pytest.mark.parametrize("plant", PLANTS)
def test_root_writes_no_log_into_what_is_put_in_its_place(viaductd, place, victim, plant):
    """At a start, and when logs are opened anew."""
    names = {key: place / key.replace(".", "-") for key in LOGS}
    for key, log in names.items():
        plant(log, victim)
        former = copy.deepcopy(viaductd.settings)
        LOGS[key](viaductd.settings, str(log))
        refused_start(viaductd, key, str(log))
        viaductd.settings = former
        log.unlink()
    for key, log in names.items():
        LOGS[key](viaductd.settings, str(log))
    viaductd.settings["apps"]["web"]["timeouts"] = {"slow": "1ms"}
    viaductd.start()
    tool = Tool(viaductd)
    for log in names.values():
        wait_for(log.exists, f"{log} is there")
        log.rename(f"{log}.1")
        plant(log, victim)
        answer = tool.run("reopen")
        assert answer.status == 1 and str(log) in answer.err, answer
        assert serves(viaductd)
        log.unlink()
        assert tool.run("reopen").status == 0
    assert serves(viaductd)
    wait_for(lambda: "/hello" in names["access_log.to"].read_text(), "lines go to the new file")


def test_no_directory_on_the_way_leads_root_into_its_own(viaductd, place, victim):
    """A link of the user's in the middle of the path."""
    as_user(WORKER_USER, lambda: (place / "logs").symlink_to(victim.directory))
    for key in LOGS:
        former = copy.deepcopy(viaductd.settings)
        LOGS[key](viaductd.settings, str(place / "logs" / "log"))
        refused_start(viaductd, key, "which a link of another user leads to")
        viaductd.settings = former
    (place / "logs").unlink()
    as_user(WORKER_USER, lambda: (place / "logs").mkdir())
    viaductd.settings["access_log"] = {"to": str(place / "logs" / "log")}
    viaductd.start()
    as_user(
        WORKER_USER,
        lambda: ((place / "logs").rename(place / "former"), (place / "logs").symlink_to(victim.directory)),
    )
    answer = Tool(viaductd).run("reopen")
    assert answer.status == 1 and "which a link of another user leads to" in answer.err
    assert serves(viaductd)


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_names_that_are_exchanged_while_logs_are_opened_lead_nowhere(
    viaductd, place, victim, stopping, kind
):
    """Between the log, or its directory, and a link to root's."""
    inside = place / "logs"
    as_user(WORKER_USER, inside.mkdir)
    log = inside / "secret"
    viaductd.settings["access_log"] = {"to": str(log)}
    viaductd.start()
    first, second, target = {
        "file": (log, inside / "trap", victim.file),
        "directory": (inside, place / "trap", victim.directory),
    }[kind]
    as_user(WORKER_USER, lambda: second.symlink_to(target))
    exchanger = Exchanger(first, second, WORKER_USER)
    stopping.append(exchanger)
    tool, results = Tool(viaductd), []

    def opened() -> bool:
        results.append(tool.run("reopen").status)
        results.append(tool.run("reload").status)
        assert serves(viaductd)
        victim.check()
        return len(results) >= 80 and exchanger.count() >= 1000

    wait_for(opened, "many reopened logs and many exchanges")
    exchanger.stop()
    assert set(results) <= {0, 1, CONFIGURATION}


# ---- crash reports


def crash(viaductd) -> str:
    """What the log says of the report."""
    before = viaductd.text().count("worker crashed")
    assert fastcgi.request(viaductd.socket, "/crash", method="POST").status == 502
    wait_for(lambda: viaductd.text().count("worker crashed") > before, "the crash is logged")
    return [line for line in viaductd.lines() if "worker crashed" in line][-1]


def test_no_link_leads_a_crash_report_to_root(viaductd, place, victim):
    crashes = place / "crashes"
    viaductd.app("sdk", crash_dir=str(crashes), retry="never")
    as_user(WORKER_USER, lambda: crashes.symlink_to(victim.directory))
    refused_start(viaductd, "apps.web.crash_dir", str(crashes))
    crashes.unlink()
    viaductd.start()
    assert f"crash_report={crashes}/web-" in crash(viaductd)
    as_user(WORKER_USER, lambda: (crashes.rename(place / "former"), crashes.symlink_to(victim.directory)))
    assert 'crash_report=""' in crash(viaductd)
    victim.check()
    assert "crash report cannot be written app=web" in viaductd.text()
    wait_for(lambda: serves(viaductd), "the next worker serves")
