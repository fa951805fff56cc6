"""A bridge in other hands: it cannot hurt its master, nor the bridge that follows it."""

import os
import signal
import socket
import time

import pytest

from harness import fastcgi, scgi
from harness.paths import built
from harness.ports import reserve_port
from harness.process import (
    Adopted,
    adopt_orphans,
    alive,
    descendants,
    descriptor_targets,
    descriptors,
    pause,
    wait_for,
)
from harness.tool import Tool

# Of a machine that has other work, too. A master that is stopped would answer after an hour.
PROMPT = 10
RULES = "bridge breaks the rules of its channel"


@pytest.fixture
def daemon(viaductd):
    viaductd.program = viaductd.stage.put(built("hostile_viaductd"))
    return viaductd


class Hostage:
    """A daemon, and what its bridge is made to do."""

    def __init__(self, daemon) -> None:
        self.daemon = daemon
        self.tool = Tool(daemon)
        self.deed_file = daemon.program.parent / (daemon.program.name + ".deed")
        self.mark = daemon.marks / "hostile"

    def prepare(self, deed: str) -> None:
        self.deed_file.write_text(f"{self.daemon.marks}\n{deed}\n")

    def start(self, **options) -> "Hostage":
        self.deed_file.unlink(missing_ok=True)
        self.daemon.start(**options)
        self.request()
        self.descriptors = self.settled_descriptors()
        return self

    def take_over(self, deed: str) -> int:
        """Replaces the bridge by one that does that; its pid."""
        self.prepare(deed)
        os.kill(self.daemon.bridge(), signal.SIGKILL)
        return self.hostile()

    def hostile(self) -> int:
        return int(wait_for(lambda: self.mark.exists() and self.mark.read_text(), "a hostile bridge"))

    def status(self) -> dict:
        start = time.monotonic()
        status = self.tool.status()
        assert time.monotonic() - start < PROMPT
        return status

    def request(self) -> None:
        assert fastcgi.request(self.daemon.socket, "/hello").status == 200

    def settled_descriptors(self) -> int:
        """What the tool had open is closed a moment later."""
        self.status()
        seen = []

        def same() -> bool:
            seen.append(descriptors(self.daemon.pid))
            return len(seen) > 5 and len(set(seen[-5:])) == 1

        wait_for(same, "the descriptors of the master settle")
        return seen[-1]

    def serves_again(self, violations: int) -> None:
        """With a new bridge, and as if nothing had happened."""
        self.request()
        status = self.status()
        assert status["violations"] == violations
        assert self.daemon.text().count(RULES) == violations, "it is said once"
        assert [g["state"] for g in status["generations"]] == ["active"]
        assert status["generations"][0]["bridge_pid"] not in (0, int(self.mark.read_text()))
        # Fewer than before, where something of the start was still open when they were counted.
        try:
            wait_for(lambda: self.settled_descriptors() <= self.descriptors, "descriptors are closed")
        except AssertionError:
            pytest.fail(f"{self.descriptors} before, now {sorted(descriptor_targets(self.daemon.pid))}")


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


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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


def reload_beside_a_hostile_bridge(daemon, hostage, **options) -> int:
    """The new generation's bridge, beside an old one that spoils its board."""
    app = daemon.app("sdk", workers=2, probation="60s")
    hostage.start(**options)
    hostage.take_over("board")
    app["env"]["VERSION"] = "2"
    daemon.reload()
    return hostage.status()["generations"][-1]["bridge_pid"]


def test_an_old_bridge_does_not_bring_the_former_workers_back(daemon):
    hostage = Hostage(daemon)
    reload_beside_a_hostile_bridge(daemon, hostage)
    for _ in range(30):
        hostage.request()
        time.sleep(0.1)  # the master looks five times a second
    assert alive(hostage.hostile()), "the old one counts errors all the while"
    assert "going back" not in daemon.text()
    assert [g["number"] for g in hostage.status()["generations"]][-1] == 2
    os.kill(hostage.hostile(), signal.SIGKILL)
    wait_for(lambda: len(hostage.status()["generations"]) == 1, "the old one is gone")


def test_an_old_bridge_does_not_hide_that_the_new_one_hangs(daemon):
    hostage = Hostage(daemon)
    bridge = reload_beside_a_hostile_bridge(
        daemon, hostage, environment={"WATCHDOG_USEC": "9000000"}
    )
    pause(bridge)
    daemon.logged("bridge makes no progress, killed")
    assert alive(hostage.hostile())
    hostage.request()
    os.kill(hostage.hostile(), signal.SIGKILL)
    wait_for(lambda: len(hostage.status()["generations"]) == 1, "the old one is gone")


def test_a_bridge_that_calls_the_control_socket_is_ended(daemon):
    """Where viaductd is not root, nothing else keeps its bridge from it."""
    daemon.app("sdk", workers=2)
    control = daemon.directory / "run" / "control.sock"
    daemon.settings["control"] = {"address": f"unix:{control}", "mode": "0666"}
    hostage = Hostage(daemon).start()
    answer = daemon.marks / "answer"
    pid = hostage.take_over(f"control {control} {answer}")
    wait_for(lambda: not alive(pid), "the bridge is ended")
    assert "a connection to the control socket" in daemon.logged(RULES)
    # It is killed while it reads.
    assert answer.read_text().split("\r\n")[0] in ("", "HTTP/1.1 403 Forbidden")
    hostage.serves_again(violations=1)


def refuses(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(address)
        except OSError:
            return True
    return False


def served(call) -> bool:
    try:
        return call().status == 200
    except (OSError, AssertionError):
        return False


def listeners_of_every_kind(daemon) -> list:
    """Gives it such listeners. Requests, one through each."""
    port = reserve_port()
    abstract = f"@viaduct-{os.getpid()}-{port}"
    daemon.settings["listeners"] += [
        {"protocol": "scgi", "address": f"tcp:127.0.0.1:{port}", "app": "web"},
        {"protocol": "fastcgi", "address": f"unix:{abstract}", "app": "web"},
    ]
    return [
        lambda: fastcgi.request(daemon.socket, "/hello"),
        lambda: scgi.request(daemon.scgi, "/hello"),
        lambda: scgi.request(("127.0.0.1", port), "/hello"),
        lambda: fastcgi.request("\0" + abstract[1:], "/hello"),
    ]


def test_listeners_that_a_bridge_has_shut_down_are_bound_anew(daemon):
    daemon.app("sdk", workers=2)
    requests = listeners_of_every_kind(daemon)
    hostage = Hostage(daemon).start()
    pid = hostage.take_over("shutdown")
    # It holds the abstract name as long as it lives.
    wait_for(lambda: not alive(pid), "the bridge is ended for the abstract name")
    for request in requests:
        wait_for(lambda: served(request), "the next bridge serves")
    assert daemon.text().count(", bound anew") == 4
    assert all(one["failure"] == "" for one in hostage.status()["listeners"])
    hostage.serves_again(violations=0)


def test_an_old_bridge_does_not_take_the_listeners_from_the_new_one(daemon):
    app = daemon.app("sdk", workers=2)
    requests = listeners_of_every_kind(daemon)[:3]
    del daemon.settings["listeners"][-1]  # the abstract one
    hostage = Hostage(daemon).start()
    pid = hostage.take_over("orphan")
    app["env"]["VERSION"] = "2"
    before = daemon.generations()
    daemon.write()
    daemon.process.send(signal.SIGHUP)
    wait_for(lambda: daemon.text().count(", bound anew") == 3, "every listener is bound anew")
    for request in requests:
        wait_for(lambda: served(request), "the new bridge serves")
    assert alive(pid), "and goes on"
    new = hostage.status()["generations"][-1]["bridge_pid"]
    for _ in range(20):
        assert all(request().status == 200 for request in requests)
    wait_for(lambda: daemon.generations() > before, "the reload is reported")
    assert alive(pid) and daemon.text().count(", bound anew") == 3, "it has none of the new ones"
    assert hostage.status()["generations"][-1]["bridge_pid"] == new, "the same bridge"
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(hostage.status()["generations"]) == 1, "the old one is gone")


def test_an_inherited_listener_that_is_shut_down_is_named(daemon):
    """Nobody but the service manager can make another."""
    path = daemon.directory / "inherited.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen(64)
        daemon.app("sdk", workers=2)
        daemon.settings["listeners"].append(
            {"protocol": "fastcgi", "address": "systemd:web", "app": "web"}
        )
        hostage = Hostage(daemon).start(
            prefix=["/bin/bash", "-c", f'LISTEN_PID=$$ exec "$@" 3<&{listener.fileno()}', "bash"],
            environment={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"},
            pass_fds=[listener.fileno()],
        )
    why = 'systemd:web: shut down; restart the socket unit of its descriptor, "web"'
    assert fastcgi.request(str(path), "/hello").status == 200
    pid = hostage.take_over("shutdown")
    wait_for(
        lambda: [one["failure"] for one in hostage.status()["listeners"]] == ["", "", why],
        "the status names it",
    )
    assert refuses(str(path))
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: served(lambda: fastcgi.request(daemon.socket, "/hello")), "the next one serves")
    assert sum("clients are refused" in line for line in daemon.lines()) == 1, "it is said once"
    assert "systemd:web" in daemon.logged("clients are refused")
    assert f"refuses clients: {why}" in hostage.tool.done("status")


# ---- while another viaductd takes over


def gated(daemon) -> None:
    """Workers of the next viaductd start when the file `go` is there."""
    app = daemon.app("sdk", workers=2, timeouts={"start": "120s", "stop": "120s"})
    gate = f'while [ ! -e {daemon.marks}/go ]; do sleep 0.05; done; exec "$0"'
    app["command"] = ["/bin/sh", "-c", gate, app["command"][0]]
    (daemon.marks / "go").touch()


def let_take_over(daemon) -> None:
    """Ends the upgrade that waits; the old one may still have its hostile bridge."""
    (daemon.marks / "go").touch()
    daemon.logged("upgrade: taken over")
    daemon.process = Adopted(daemon.successor(), daemon.log)


def end_of(old, hostile: int) -> None:
    """Of the former viaductd, which waits for its bridge."""
    if alive(hostile):
        os.kill(hostile, signal.SIGKILL)
    assert old.wait(60) == 0


def test_a_bridge_that_ends_all_listening_cannot_prevent_an_upgrade(daemon):
    """Nor is anything changed of the sockets before they are the new one's."""
    gated(daemon)
    requests = listeners_of_every_kind(daemon)[:3]
    del daemon.settings["listeners"][-1]  # the abstract one
    hostage = Hostage(daemon).start()
    old, pid = daemon.process, hostage.take_over("relentless")
    daemon.logged(", bound anew")
    (daemon.marks / "go").unlink()
    adopt_orphans()
    old.send(signal.SIGUSR2)
    successor = daemon.successor()
    wait_for(lambda: len(descendants(successor)) >= 3, "the new one has a bridge and workers")
    begin = daemon.text().index("upgrade: started")
    file = os.stat(daemon.socket)
    let_take_over(daemon)
    log = daemon.text()
    assert ", bound anew" not in log[begin : log.index("upgrade: taken over")]
    for request in requests:
        wait_for(lambda: served(request), "the new one has bound another")
    assert alive(pid)
    for path in (daemon.socket, daemon.scgi):
        now = os.stat(path)
        assert (now.st_mode, now.st_uid, now.st_gid) == (file.st_mode, file.st_uid, file.st_gid)
    for _ in range(20):
        assert all(request().status == 200 for request in requests)
    end_of(old, pid)


def test_an_upgrade_that_fails_leaves_the_listeners_to_the_old_one(daemon):
    gated(daemon)
    hostage = Hostage(daemon).start()
    pid = hostage.take_over("relentless")
    daemon.logged(", bound anew")
    (daemon.marks / "go").unlink()
    daemon.process.send(signal.SIGUSR2)
    successor = daemon.successor()
    wait_for(lambda: len(descendants(successor)) >= 3, "the new one has a bridge and workers")
    os.kill(pid, signal.SIGKILL)
    os.kill(successor, signal.SIGKILL)
    daemon.logged("upgrade failed")
    (daemon.marks / "go").touch()
    wait_for(lambda: served(lambda: fastcgi.request(daemon.socket, "/hello")), "the old one serves")
    wait_for(lambda: served(lambda: scgi.request(daemon.scgi, "/hello")), "at every listener")
    assert os.stat(daemon.socket).st_mode & 0o777 == 0o666


def test_an_abstract_name_is_free_again_after_an_upgrade(daemon):
    """It is taken as long as a bridge of the old one has it."""
    gated(daemon)
    request = listeners_of_every_kind(daemon)[3]
    hostage = Hostage(daemon).start()
    old, pid = daemon.process, hostage.take_over("orphan")
    (daemon.marks / "go").unlink()
    adopt_orphans()
    old.send(signal.SIGUSR2)
    daemon.successor()
    let_take_over(daemon)
    wait_for(lambda: not alive(pid), "the former viaductd's bridge is ended")
    wait_for(lambda: served(request), "the name is bound anew")
    end_of(old, pid)


def test_a_bridge_of_the_former_viaductd_that_calls_the_control_socket_is_ended(daemon):
    gated(daemon)
    control = daemon.directory / "run" / "control.sock"
    daemon.settings["control"] = {"address": f"unix:{control}", "mode": "0666"}
    hostage = Hostage(daemon).start()
    answer, gate = daemon.marks / "answer", daemon.marks / "call"
    old, pid = daemon.process, hostage.take_over(f"control {control} {answer} {gate}")
    adopt_orphans()
    old.send(signal.SIGUSR2)
    let_take_over(daemon)
    assert alive(pid), "it has connections to finish"
    gate.touch()
    wait_for(lambda: not alive(pid), "it is ended")
    assert "a connection to the control socket" in daemon.logged(RULES)
    assert answer.read_text().split("\r\n")[0] in ("", "HTTP/1.1 403 Forbidden")
    assert hostage.status()["violations"] == 1
    end_of(old, pid)


def test_a_bridge_of_the_next_viaductd_that_calls_the_control_socket_is_ended(daemon):
    gated(daemon)
    control = daemon.directory / "run" / "control.sock"
    daemon.settings["control"] = {"address": f"unix:{control}", "mode": "0666"}
    hostage = Hostage(daemon).start()
    answer, gate = daemon.marks / "answer", daemon.marks / "call"
    (daemon.marks / "go").unlink()
    hostage.prepare(f"caller {control} {answer} {gate}")
    daemon.process.send(signal.SIGUSR2)
    pid = hostage.hostile()
    wait_for(lambda: len(descendants(daemon.successor())) >= 3, "the next one waits for its workers")
    gate.touch()
    wait_for(lambda: not alive(pid), "its bridge is ended")
    assert "a connection to the control socket" in daemon.logged(RULES)
    assert answer.read_text().split("\r\n")[0] in ("", "HTTP/1.1 403 Forbidden")
    daemon.logged("upgrade failed")
    (daemon.marks / "go").touch()
    hostage.request()
    assert hostage.status()["violations"] == 1
