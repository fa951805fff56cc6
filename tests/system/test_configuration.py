"""What viaductd makes of its configuration and its command line, and as whom it runs."""

import os
import pwd
import re
import subprocess
from pathlib import Path

import pytest

from harness import fastcgi
from harness.paths import ROOT
from harness.tool import Tool

CONFIGURATION, USAGE = 78, 64


def test_good_configuration_is_accepted(viaductd):
    viaductd.app("sdk")
    viaductd.write()
    result = viaductd.check()
    assert result.returncode == 0, result.stderr


def test_check_says_how_much_memory_a_bridge_takes_at_most(viaductd):
    viaductd.app("sdk")
    for limit, said in (("0", "unbounded (limits.memory is 0)"), ("64MiB", "at most 106 MiB")):
        viaductd.settings["limits"] = {"memory": limit, "connections": 256}
        viaductd.write()
        result = viaductd.check()
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith(f"{viaductd.file}: ok\nmemory of a bridge process: {said}\n")


def test_check_says_how_much_the_temporary_files_take_at_most(viaductd):
    viaductd.app("sdk")
    viaductd.settings["limits"] = {"memory": "64MiB", "connections": 256, "spool": "100MiB"}
    viaductd.settings["bridge"] = {"spool": "/var/tmp"}
    viaductd.write()
    result = viaductd.check()
    assert result.returncode == 0, result.stderr
    assert "temporary files of a bridge process: at most 100 MiB, in /var/tmp\n" in result.stdout
    # In every Linux this one is in memory.
    viaductd.settings["bridge"] = {"spool": "/dev/shm"}
    viaductd.write()
    result = viaductd.check()
    assert result.returncode == 0, result.stderr
    assert "memory of a bridge process: at most 206 MiB\n" in result.stdout
    assert "at most 100 MiB, in /dev/shm, which is in memory\n" in result.stdout
    assert "bridge.spool: /dev/shm is in memory (tmpfs)" in result.stderr


def test_a_spool_that_cannot_be_written_is_an_error(viaductd):
    viaductd.app("sdk")
    viaductd.settings["bridge"] = {"spool": "/proc/version"}
    viaductd.write()
    result = viaductd.check()
    assert result.returncode == CONFIGURATION
    assert "bridge.spool: /proc/version: Not a directory (ENOTDIR)" in result.stderr


def limits_of(pid) -> tuple[str, str]:
    """Soft and hard limit of open files."""
    text = Path(f"/proc/{pid}/limits").read_text()
    return re.search(r"^Max open files\s+(\d+)\s+(\d+)", text, re.M).groups()


def with_few_descriptors(viaductd, soft: int, hard: int):
    return viaductd.start(
        prefix=["/bin/bash", "-c", f'ulimit -Sn {soft}; ulimit -Hn {hard}; exec "$@"', "bash"]
    )


def test_limit_of_descriptors_is_raised_for_viaductd_and_not_for_programs(viaductd):
    viaductd.app("sdk")
    viaductd.settings["limits"] = {"connections": 500}
    with_few_descriptors(viaductd, 256, 4000)
    assert "descriptors" not in viaductd.text()
    for pid in (viaductd.pid, viaductd.bridge()):
        soft, hard = map(int, limits_of(pid))
        assert 1500 < soft <= hard == 4000
    assert limits_of(viaductd.workers()[0]) == ("256", "4000")
    held = [fastcgi.Client(viaductd.socket) for _ in range(400)]
    for client in (held[0], held[-1]):
        assert client.request("/hello", keep=True).body == b"hello\n"
    viaductd.settings["limits"] = {"connections": 800}
    viaductd.reload()
    assert int(limits_of(viaductd.pid)[0]) > 2400
    viaductd.upgrade()
    assert limits_of(viaductd.workers()[0]) == ("256", "4000")
    for client in held:
        client.socket.close()


def test_descriptors_that_are_missing_are_named(viaductd):
    viaductd.app("sdk")
    viaductd.settings["limits"] = {"connections": 500}
    with_few_descriptors(viaductd, 256, 1024)
    assert "warning: " in (line := viaductd.logged("limits.connections: the bridge needs up to "))
    assert "500 for connections" in line and "it may have 1024" in line
    assert limits_of(viaductd.bridge()) == ("1024", "1024")
    assert fastcgi.request(viaductd.socket, "/hello").body == b"hello\n"


def test_unknown_key_is_named_with_its_place(viaductd):
    viaductd.file.write_text("apps:\n  shop:\n    command: [/bin/true]\n    worker: 2\n")
    result = viaductd.check()
    assert result.returncode == CONFIGURATION
    expected = f'{viaductd.file}:4:5: apps.shop.worker: unknown key; did you mean "workers"?'
    assert expected in result.stderr + result.stdout


def test_daemon_refuses_a_bad_configuration(viaductd):
    viaductd.settings["listeners"][0]["app"] = "missing"
    viaductd.start(ready=False)
    assert viaductd.process.wait() == CONFIGURATION
    assert "missing" in viaductd.text()
    assert not os.path.exists(viaductd.socket)


def test_missing_file_is_a_configuration_error(viaductd):
    result = viaductd.check("-t")
    assert result.returncode == CONFIGURATION
    assert str(viaductd.file) in result.stderr + result.stdout


def test_wrong_option_is_a_usage_error(viaductd):
    viaductd.write()
    assert viaductd.check("--no-such-option").returncode == USAGE


def test_version(viaductd):
    viaductd.write()
    for option in ("-V", "--version"):
        result = viaductd.check(option)
        assert result.returncode == 0
        assert re.search(r"\d+\.\d+\.\d+", result.stdout)


def test_dump_names_the_origin_of_values(viaductd):
    viaductd.app("sdk")
    viaductd.write()
    result = viaductd.check("-T")
    assert result.returncode == 0
    assert str(viaductd.file) + ":" in result.stdout


@pytest.mark.skipif(not ROOT, reason="about being root")
def test_root_needs_a_user_for_every_command(viaductd):
    del viaductd.app("sdk")["user"]
    viaductd.start(ready=False)
    assert viaductd.process.wait() == CONFIGURATION
    assert "apps.web" in viaductd.text()
    assert "user" in viaductd.text()


@pytest.mark.skipif(not ROOT, reason="about being root")
def test_nobody_but_the_master_is_root(viaductd):
    viaductd.app("sdk", workers=2)
    viaductd.start()
    worker = pwd.getpwnam("daemon").pw_uid
    for pid in viaductd.workers():
        assert os.stat(f"/proc/{pid}").st_uid == worker
    assert os.stat(f"/proc/{viaductd.bridge()}").st_uid not in (0, worker)


def seccomp_of(pid):
    """The mode of the process's filter: 0 none, 2 a list of system calls."""
    return re.search(r"^Seccomp:\t(\d)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1]


def test_bridge_is_in_its_sandbox(viaductd):
    viaductd.app("sdk")
    viaductd.settings["bridge"] = {"sandbox": "required"}
    viaductd.start()
    tool = Tool(viaductd)
    assert tool.status()["sandbox"] == ["seccomp", "landlock"]
    assert seccomp_of(viaductd.bridge()) == "2"
    viaductd.settings["bridge"] = {"sandbox": "off"}
    viaductd.write()
    viaductd.reload()
    assert tool.status()["sandbox"] == []
    assert seccomp_of(viaductd.bridge()) == seccomp_of("self")


@pytest.mark.skipif(not ROOT, reason="only root has a user for the bridge")
def test_names_that_processes_choose_are_not_written_raw(viaductd):
    """Whoever runs as the bridge's user may say what it likes to the terminal of root."""
    unused = "news"  # of every Debian; the other tests run nothing as this user
    viaductd.app("sdk")
    viaductd.settings["bridge"] = {"user": unused}
    viaductd.write()
    named = (
        "import ctypes, time; ctypes.CDLL(None).prctl(15, b'a\\x1b[2J\\rz', 0, 0, 0);"
        "print(flush=True); time.sleep(1000)"
    )
    other = subprocess.Popen(
        ["/usr/bin/python3", "-c", named], user=unused, group=unused, stdout=subprocess.PIPE, cwd="/"
    )
    try:
        assert other.stdout.readline() == b"\n"
        said = viaductd.check().stderr
    finally:
        other.kill()
        other.wait()
    assert f"for instance pid {other.pid} (a\\x1b[2J\\rz)" in said
    assert not set("\x1b\r") & set(said)
