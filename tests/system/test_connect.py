"""Apps whose servers others run: `connect`."""

import pytest

from harness import http
from harness.apps import Direct
from harness.load import assert_clean
from harness.process import wait_for
from harness.servers import Spawned, connect
from harness.tool import Tool


@pytest.fixture
def tool(viaductd):
    return Tool(viaductd)


@pytest.fixture
def spawn(stage, directory, stopping):
    def start(where: str, **options) -> Spawned:
        server = Spawned(where, stage, directory, **options)
        stopping.append(server)
        return server

    return start


@pytest.mark.parametrize("where", ["unix", "tcp"])
def test_a_spawned_program_serves(where, viaductd, spawn, start_front):
    connect(viaductd, spawn(where).address)
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    assert http.request(front.port, "/hello").text == "hello\n"
    body = b"".join(http.pattern(300_000))
    reply = http.request(front.port, "/digest", "POST", body=body)
    assert reply.text == f"300000 {http.pattern_sha256(300_000)}\n"
    big = http.request(front.port, "/generate?bytes=1000000")
    assert len(big.body) == 1_000_000


@pytest.mark.parametrize("where", ["unix", "tcp"])
def test_a_server_that_dies_under_load_costs_nothing(where, viaductd, spawn, start_front, start_load):
    servers = [spawn(where, name=f"server{i}") for i in range(3)]
    connect(viaductd, *(server.address for server in servers))
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    load = start_load(front.port, concurrency=16, least=700)
    tool = Tool(viaductd)

    def requests() -> int:
        return tool.run("--json", "status").json["apps"][0]["requests"]

    wait_for(lambda: requests() > 200, "requests are served")
    servers[0].stop()
    viaductd.logged("server cannot be reached")
    before = requests()
    wait_for(lambda: requests() > before + 500, "requests are served by the others")
    assert_clean(load.finish())


def test_status_lists_the_servers_which_are_not_ours_to_change(viaductd, tool, spawn):
    address = spawn("unix").address
    connect(viaductd, address)
    viaductd.start()
    app = tool.run("--json", "status").json["apps"][0]
    (server,) = app["servers"]
    assert (app["state"], server["name"], app["workers"]) == ("serving", address, [])
    assert address in tool.run("status").out
    for words in (("restart", "web"), ("scale", "web", "2")):
        result = tool.run(*words)
        assert result.status == 1
        assert "web: others run its servers (connect)" in result.err


def test_a_reload_changes_the_servers(viaductd, tool, spawn, start_front, start_load):
    first, second = spawn("unix", name="first"), spawn("tcp", name="second")
    connect(viaductd, first.address)
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    load = start_load(front.port, concurrency=8)
    connect(viaductd, second.address)
    assert "web restarted (connect changed)" in viaductd.reload()
    viaductd.app("libfcgi", workers=2)
    assert "web restarted" in viaductd.reload()
    connect(viaductd, first.address, second.address)
    assert "web restarted" in viaductd.reload()
    assert "web kept" in viaductd.reload()
    assert http.request(front.port, "/hello").text == "hello\n"
    assert_clean(load.finish())
    listed = tool.run("--json", "status").json["apps"][0]["servers"]
    assert [server["name"] for server in listed] == [first.address, second.address]


def test_a_missing_server_is_503_and_found_when_it_starts(viaductd, stage, directory, stopping, start_front):
    path = directory / "libfcgi.sock"
    connect(viaductd, f"unix:{path}", timeouts={"queue": "300ms"})
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    assert http.request(front.port, "/hello").status == 503
    stopping.append(Direct("libfcgi", stage, directory))
    wait_for(lambda: http.request(front.port, "/hello").status == 200, "the server is found")


def test_a_second_viaductd_is_a_server(viaductd, inner, start_front):
    inner.start()
    connect(viaductd, f"unix:{inner.socket}")
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    assert http.request(front.port, "/hello").text == "hello\n"
    body = b"".join(http.pattern(300_000))
    reply = http.request(front.port, "/digest", "POST", body=body)
    assert reply.text == f"300000 {http.pattern_sha256(300_000)}\n"
