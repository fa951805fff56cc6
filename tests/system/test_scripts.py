"""contrib/quickstart for each front server, and the sum that tests/run ends with."""

import os
import re
import signal
import socket
import subprocess

import pytest

from harness import http
from harness.paths import SOURCE
from harness.ports import reserve_port
from harness.process import Process, alive, descendants, wait_for

QUICKSTART = SOURCE / "contrib" / "quickstart"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("front", ["http", "nginx", "apache", "caddy"])
def test_quickstart_serves_a_page_and_leaves_nothing(directory, stopping, logs, front, number):
    port = reserve_port()
    log = directory / "quickstart.log"
    logs.append(log)
    process = Process([QUICKSTART, "--front", front, "--port", port], log, cwd="/")
    stopping.append(process)
    wait_for(
        lambda: "Ctrl-C stops everything" in process.text() or not process.running(),
        "quickstart says that it is ready",
        600,
    )
    assert f"http://127.0.0.1:{port}/" in process.text()
    assert http.request(port, "/").status == 200
    home = re.search(r"logs are in (\S+)\.", process.text()).group(1)
    pids = descendants(process.pid)
    assert len(pids) >= (3 if front == "http" else 4)  # master, bridge, worker, the front server
    process.send(number)
    process.wait()
    wait_for(lambda: not [pid for pid in pids if alive(pid)], "everything has ended", 10)
    assert not os.path.exists(home)


def quickstart(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([QUICKSTART, *arguments], capture_output=True, text=True, timeout=600)


def test_quickstart_explains_wrong_arguments():
    assert "--front foo is not one of http, nginx, apache, caddy" in quickstart("--front", "foo").stderr
    assert "--port x is not a number" in quickstart("--port", "x").stderr
    assert "not in 1..65535" in quickstart("--port", "70000").stderr
    assert quickstart("--what").returncode == 64
    assert "--front" in quickstart("--help").stdout


def test_quickstart_names_a_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = quickstart("--port", str(port))
    assert result.returncode == 1
    assert f"port {port} is in use" in result.stderr


# the summary

CTEST = """<testsuite>
<testcase name="Record.Splits" status="run"/><testcase name="Record.Joins" status="fail"><failure/><system-out>one
two</system-out></testcase>
<testcase name="system.x" status="{status}"/></testsuite>"""
PYTEST = """<testsuites><testsuite><testcase classname="test_x" name="a"/>
<testcase classname="test_x" name="b"><skipped/></testcase>{more}</testsuite></testsuites>"""


def summarise(directory):
    result = subprocess.run(
        ["/usr/bin/python3", SOURCE / "tests/support/summary.py", directory],
        capture_output=True,
        text=True,
    )
    return result.returncode, result.stdout.splitlines()


def test_summary_adds_up_ctest_and_pytest(directory):
    (directory / "release").mkdir()
    (directory / "release.xml").write_text(CTEST.format(status="run"))
    (directory / "release" / "system.x.xml").write_text(PYTEST.format(more=""))
    status, lines = summarise(directory)
    assert (status, lines[-1]) == (1, "2 passed, 1 failed, 1 skipped")
    assert "failed: release: Record.Joins" in lines
    assert lines[lines.index("-- release: Record.Joins printed at last:") + 1 :][:2] == ["    one", "    two"]


def test_summary_counts_failures_outside_cases(directory):
    (directory / "release").mkdir()
    (directory / "release.xml").write_text(CTEST.format(status="fail"))
    (directory / "release" / "system.x.xml").write_text(PYTEST.format(more=""))
    (directory / "broken").write_text("building asan\n")
    assert summarise(directory)[1][-1] == "2 passed, 3 failed, 1 skipped"


def test_summary_counts_fuzzers(directory):
    (directory / "fuzz.log").write_text("scgi: ok, 5 runs\ncgi_head: FAILED; see x\n1 passed\n")
    assert summarise(directory) == (1, ["failed: fuzz: cgi_head", "1 passed, 1 failed"])


def test_matrix_is_two_tables(directory):
    def case(name, result):
        return f'<properties><property name="{name}" value="{result}"/></properties>'

    cells = {
        "test_cell[nginx-fastcgi-sdk-fibers]": case("slow body", "ok") + case("early answer", "no &lt;body&gt;"),
        "test_cell[nginx-fastcgi-libfcgi++]": case("slow body", "FAILED") + case("early answer", "ok") + "<failure/>",
        "test_cell[caddy-fastcgi-sdk-fibers]": case("slow body", "ok") + case("early answer", "not here"),
        "test_cell[caddy-scgi-sdk-fibers]": '<skipped message="Caddy has none"/>',
        "test_cell[caddy-scgi-libfcgi++]": '<skipped message="Caddy has none"/>',
        "test_program[caddy-scgi]": '<skipped message="Caddy has none"/>',
        "test_program[caddy-fastcgi]": case("HEAD", "ok"),
    }
    (directory / "matrix.xml").write_text(
        "<testsuites><testsuite>"
        + "".join(f'<testcase name="{name}">{what}</testcase>' for name, what in cells.items())
        + "</testsuite></testsuites>"
    )
    command = ["/usr/bin/python3", SOURCE / "tests/support/matrix_table.py", directory / "matrix.xml"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        "           nginx   caddy   caddy",
        "           fastcgi fastcgi scgi",
        "sdk-fibers ok      ok      -",
        "libfcgi++  FAILED          -",
        "a program          ok      -",
        "",
        "             nginx   caddy   caddy",
        "             fastcgi fastcgi scgi",
        "slow body    FAILED  ok      -",
        "early answer ok      -       -",
        "HEAD                 ok      -",
        "- caddy scgi: Caddy has none",
        "FAILED slow body: nginx fastcgi (libfcgi++)",
        "- early answer: nginx fastcgi (sdk-fibers): no <body>",
        "- early answer: caddy fastcgi: not here",
        "3 passed, 1 failed",
    ]


def test_summary_of_nothing_is_a_failure(directory):
    assert summarise(directory) == (1, ["0 passed, 0 failed"])
