"""Commands that work, and commands that cannot: the log says which and why, the listener answers 503."""

import os
from pathlib import Path

import pytest

from harness import fastcgi
from harness.paths import ROOT
from harness.process import wait_for


def broken_app(viaductd, *command, **keys):
    viaductd.command(*command, **keys)
    viaductd.start()
    answer = fastcgi.request(viaductd.socket, "/")
    assert answer.status == 503
    assert int(answer.head["retry-after"]) >= 1


def test_command_that_does_not_exist(viaductd):
    broken_app(viaductd, "/nonexistent/program")
    viaductd.logged("web: exec /nonexistent/program: No such file or directory (ENOENT)")


def test_command_that_is_not_executable(viaductd):
    file = viaductd.directory / "data"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o644)
    broken_app(viaductd, str(file))
    viaductd.logged(f"web: exec {file}: Permission denied (EACCES)")


@pytest.mark.skipif(not ROOT, reason="there is no other user to be")
def test_command_in_a_directory_its_user_may_not_search(viaductd):
    private = viaductd.directory / "private"
    private.mkdir(mode=0o700)
    program = private / "app"
    program.write_text("#!/bin/sh\nsleep 60\n")
    program.chmod(0o755)
    broken_app(viaductd, str(program))
    viaductd.logged(
        f"web: exec {program}: Permission denied (EACCES): user daemon cannot search {private}"
    )


def test_command_that_exits_at_once(viaductd):
    broken_app(viaductd, "/bin/sh", "-c", "echo going away >&2; exit 3")
    assert "web" in viaductd.logged("going away")
    assert "3" in viaductd.logged("exit")


def test_command_that_never_becomes_ready(viaductd):
    broken_app(viaductd, "/bin/sleep", "1000", timeouts={"start": "500ms"})
    line = viaductd.logged("timeouts.start")
    assert "web" in line
    assert "descriptor 0" in line and "probe: false" in line


def test_program_of_another_interface_is_told_what_a_worker_does(viaductd):
    """One for CGI writes to standard output and ends well."""
    broken_app(viaductd, "/bin/sh", "-c", "echo Content-Type: text/plain")
    line = viaductd.logged("exited with status 0 before it was ready: a worker accepts FastCGI")
    assert "descriptor 0" in line and "probe: false" in line


def test_directory_that_does_not_exist(viaductd):
    broken_app(viaductd, "/bin/true", directory="/nonexistent")
    assert "/nonexistent" in viaductd.logged("ENOENT")


def test_broken_app_is_started_again_and_recovers(viaductd):
    """A program that appears later is picked up without anybody's help."""
    probe = viaductd.app("sdk")["command"]
    late = viaductd.directory / "late"
    viaductd.settings["apps"]["web"]["command"] = [str(late)]
    viaductd.start()
    assert fastcgi.request(viaductd.socket, "/hello").status == 503
    late.symlink_to(probe[0])
    wait_for(
        lambda: fastcgi.request(viaductd.socket, "/hello").status == 200, "the app has recovered"
    )


def test_probe_false_is_ready_without_an_answer(viaductd):
    viaductd.app("libfcgi", probe=False)
    viaductd.start()
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"


def test_one_broken_app_does_not_disturb_another(viaductd):
    viaductd.app("sdk")
    viaductd.command("/nonexistent/program", name="other")
    viaductd.settings["listeners"][1]["app"] = "other"
    viaductd.start()
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"


def test_workers_get_a_clean_environment(viaductd):
    os.environ["VIADUCT_TEST_SECRET"] = "x"
    try:
        viaductd.app("sdk", env={"ADDED": "1"})
        viaductd.start()
    finally:
        del os.environ["VIADUCT_TEST_SECRET"]
    entries = Path(f"/proc/{viaductd.workers()[0]}/environ").read_bytes().decode().split("\0")
    names = {entry.partition("=")[0] for entry in entries}
    assert {"ADDED", "MARKS", "PATH", "VIADUCT_APP", "VIADUCT_WORKER"} <= names
    assert not names & {"NOTIFY_SOCKET", "LISTEN_FDS", "WATCHDOG_USEC", "VIADUCT_TEST_SECRET"}


def test_descriptors_of_workers(viaductd):
    viaductd.app("libfcgi")
    viaductd.start()
    pid = viaductd.workers()[0]
    targets = {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    assert targets[0].startswith("socket:")
    assert targets[1] == "/dev/null"
    assert targets[2].startswith("pipe:")
    # Nothing of the master leaks; what is left is the connection from the bridge.
    assert all(target.startswith("socket:") for fd, target in targets.items() if fd > 2)
    assert len(targets) <= 4
