"""A bridge in other hands: it cannot hurt its master."""

import os
import signal
import time

import pytest

from harness import fastcgi
from harness.hostage import PROMPT, Hostage, cpu_seconds
from harness.paths import built
from harness.process import alive, descriptor_targets, wait_for


@pytest.fixture
def daemon(viaductd):
    viaductd.program = viaductd.stage.put(built("hostile_viaductd"))
    return viaductd


@pytest.fixture
def hostage(daemon):
    daemon.app("sdk", workers=2)
    return Hostage(daemon)


VIOLATIONS = ["type", "unknown", "app", "capacity", "text", "size", "long", "bytes", "answer", "early", "twice", "left"]


@pytest.mark.parametrize("deed", VIOLATIONS)
def test_what_no_bridge_sends_ends_it(hostage, deed):
    hostage.start()
    pid = hostage.take_over(deed)
    wait_for(lambda: not alive(pid), "the bridge is ended")
    hostage.serves_again(violations=1)


@pytest.mark.parametrize("lie", ["bytes", "size", "twice"])
def test_lies_in_a_list_of_requests_end_it(hostage, lie):
    hostage.start()
    pid = hostage.take_over(f"list {lie}")
    wait_for(lambda: hostage.daemon.bridges() == [pid], "it is the only one")
    answer = hostage.tool.run("requests", "web", timeout=PROMPT)
    wait_for(lambda: not alive(pid), "the bridge is ended")
    if lie == "twice":
        assert answer.status == 0, "the first answer was a good one"
    hostage.serves_again(violations=1)


def test_a_bridge_that_does_not_answer_is_not_waited_for(hostage):
    hostage.start()
    pid = hostage.take_over("silent")
    for _ in range(3):
        hostage.tool.run("requests", "web", timeout=PROMPT)
        hostage.status()
    os.kill(pid, signal.SIGKILL)
    hostage.serves_again(violations=0)


def test_sockets_that_linger_do_not_reach_the_master(hostage):
    hostage.start()
    pid = hostage.take_over("sockets")
    before = hostage.settled_descriptors()
    for _ in range(20):
        hostage.status()
        time.sleep(0.05)  # it tries a thousand times a second
    assert hostage.settled_descriptors() == before
    assert alive(pid)
    os.kill(pid, signal.SIGKILL)
    hostage.serves_again(violations=0)


@pytest.mark.parametrize("deed", ["flood", "kill"])
def test_messages_without_end_neither_fill_the_log_nor_eat_the_processor(hostage, deed):
    hostage.start()
    pid = hostage.take_over(deed)
    begin, size, cpu = time.monotonic(), len(hostage.daemon.text()), cpu_seconds(hostage.daemon.pid)
    while time.monotonic() - begin < 5:
        hostage.status()
        time.sleep(0.2)
    seconds = time.monotonic() - begin
    used = cpu_seconds(hostage.daemon.pid) - cpu
    written = hostage.daemon.text()[size:]
    assert alive(pid)
    assert used < 0.5 * seconds, f"{used} s of the processor in {seconds} s"
    # 64 replacements at once and 4 a second, with a few lines each.
    replaced = written.count("worker is replaced")
    assert replaced <= 64 + 4 * seconds + 4
    assert len(written) < 2000 * (64 + 4 * seconds + 10)
    assert (replaced > 0) == (deed == "kill")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(hostage.daemon.workers()) == 2, "the workers are there again")
    hostage.serves_again(violations=0)


def test_workers_that_are_said_to_be_used_up_are_replaced_at_a_limited_rate(daemon):
    daemon.app("sdk", workers=8, limits={"requests": 5})
    hostage = Hostage(daemon).start()
    pid = hostage.take_over("use up")
    begin, size, cpu = time.monotonic(), len(daemon.text()), cpu_seconds(daemon.pid)
    while time.monotonic() - begin < 8:
        hostage.status()
        time.sleep(0.2)
    seconds = time.monotonic() - begin
    replaced = daemon.text()[size:].count("worker is recycled")
    assert alive(pid)
    assert 0 < replaced <= 64 + 16 * seconds + 4
    assert cpu_seconds(daemon.pid) - cpu < 0.5 * seconds
    os.kill(pid, signal.SIGKILL)
    hostage.serves_again(violations=0)


@pytest.mark.parametrize("deed", ["output", "log"])
def test_a_bridge_that_shouts_fills_neither_log_nor_terminal(hostage, deed):
    hostage.start()
    pid = hostage.take_over(deed)
    begin, cpu = time.monotonic(), cpu_seconds(hostage.daemon.pid)
    while time.monotonic() - begin < 3:
        hostage.status()
        time.sleep(0.2)
    used = cpu_seconds(hostage.daemon.pid) - cpu
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not alive(pid), "the bridge is gone")
    seconds = time.monotonic() - begin
    written = hostage.daemon.log.read_bytes()
    assert used < 0.5 * seconds, f"{used} s of the processor in {seconds} s"
    assert written.count(b"shout") > 100
    # 128 KiB each tenth of a second and what one read adds, escaped, and what the pipe held.
    assert len(written) < 4 * (192 * 1024 * (10 * seconds + 2) + 2**20)
    assert not set(written) & (set(range(0x20)) - {0x0A}), "nothing commands a terminal"
    assert "\x9b" not in written.decode()
    hostage.serves_again(violations=0)


@pytest.mark.parametrize("deed", ["output lines", "log lines", "log bytes"])
def test_lines_of_nothing_keep_the_master_from_nothing(hostage, deed):
    hostage.start()
    pid = hostage.take_over(deed)
    begin, size, cpu = time.monotonic(), hostage.daemon.log.stat().st_size, cpu_seconds(hostage.daemon.pid)
    while time.monotonic() - begin < 3:
        hostage.status()
        time.sleep(0.2)
    used = cpu_seconds(hostage.daemon.pid) - cpu
    seconds = time.monotonic() - begin
    written = hostage.daemon.log.stat().st_size - size
    assert alive(pid)
    assert used < 0.5 * seconds, f"{used} s of the processor in {seconds} s"
    # A line of the daemon's log for each of its output, of which a second has ten thousand.
    assert written < 200 * (10_240 * (seconds + 1) + 3 * 4096) + 2**20
    os.kill(pid, signal.SIGKILL)
    hostage.serves_again(violations=0)


def test_a_bridge_has_pipes_to_its_logs_and_no_file(viaductd):
    names = ("daemon", "access", "app", "slow")
    daemon, access, app, slow = (viaductd.directory / f"{name}.log" for name in names)
    viaductd.app("sdk")["log"] = {"to": str(app)}
    viaductd.settings["apps"]["web"] |= {"slow_log": str(slow), "timeouts": {"slow": "100ms"}}
    viaductd.settings |= {"log": {"to": str(daemon)}, "access_log": {"to": str(access)}}
    viaductd.settings["bridge"] = {**viaductd.settings.get("bridge", {}), "threads": 2}
    viaductd.start()
    for _ in range(20):
        assert fastcgi.request(viaductd.socket, "/hello").status == 200
    wait_for(lambda: access.read_text().count("/hello") == 20, "every request is in the access log")
    bridge = viaductd.bridge()
    assert os.readlink(f"/proc/{bridge}/fd/2").startswith("pipe:")
    # What begins so has no name in any file system.
    nameless = ("pipe:", "socket:", "anon_inode:", "/memfd:", "/dev/null", "/proc/")
    assert [t for t in descriptor_targets(bridge) if not t.startswith(nameless)] == []
    assert all(log.exists() for log in (daemon, access, app, slow))


def test_the_board_cannot_be_cut_and_counters_never_fall(hostage):
    hostage.start()
    pid = hostage.take_over("board")
    assert hostage.status()["apps"][0]["requests"] >= 1, "what the former bridge has counted"
    seen = []

    def rises() -> bool:
        status = hostage.status()
        seen.append(status["apps"][0]["requests"])
        assert status["connections"] >= 0
        return len(set(seen)) >= 20

    wait_for(rises, "it counts, and zeroes what it has counted")
    assert seen == sorted(seen)
    last = seen[-1]
    assert alive(pid)
    os.kill(pid, signal.SIGKILL)
    hostage.serves_again(violations=0)
    assert hostage.status()["apps"][0]["requests"] > last
