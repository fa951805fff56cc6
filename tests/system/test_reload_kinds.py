"""Reloads under load: every kind of application, and servers that others run."""

import pytest

from harness import apps, http
from harness.load import assert_clean
from harness.process import alive, wait_for
from harness.servers import Spawned, connect
from harness.tool import Tool

RELOADS = 5
WORKERS = 2
CLIENTS = 16
PATIENCE = 60


def wait_for_answers(tool: Tool) -> None:
    """So many that every client has had one or nearly."""

    def answered() -> int:
        return tool.status()["apps"][0]["requests"]

    before = answered()
    wait_for(lambda: answered() > before + CLIENTS, "requests are answered", PATIENCE)


@pytest.mark.slow
@pytest.mark.parametrize("kind", apps.KINDS)
def test_reloads_lose_no_request(kind, viaductd, start_front, start_load):
    """Each replaces all workers."""
    app = viaductd.app(kind, workers=WORKERS)
    # fcgiwrap is slow enough for 16 clients to be overload by the default of queue. A program on libfcgi
    # that forgets its SIGTERM holds up the next reload but one for stop.
    app["timeouts"] = {**app.get("timeouts", {}), "queue": "60s", "stop": "15s"}
    app["env"]["NUMBER"] = "0"
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    load = start_load(front.port, concurrency=CLIENTS, mix="both", least=RELOADS * CLIENTS)
    tool = Tool(viaductd)

    def number() -> str:
        return http.request(front.port, "/setting?name=NUMBER", timeout=PATIENCE).text

    for reload in range(1, RELOADS + 1):
        wait_for_answers(tool)
        replaced = viaductd.started()
        app["env"]["NUMBER"] = str(reload)
        assert "web restarted (env changed)" in viaductd.reload(PATIENCE)
        wait_for(lambda: number() == f"{reload}\n", "the new workers answer", PATIENCE)
        assert load.running()
    assert_clean(load.finish())
    wait_for(lambda: len(viaductd.bridges()) == 1, "the old bridges are gone", PATIENCE)
    wait_for(lambda: len(viaductd.workers()) == WORKERS, "the old workers are gone", PATIENCE)
    assert not set(viaductd.workers()) & set(replaced)
    assert [number() for _ in range(2 * WORKERS)] == [f"{RELOADS}\n"] * (2 * WORKERS)
    assert len(viaductd.started()) == WORKERS * (1 + RELOADS), "no worker was lost and replaced"


@pytest.mark.slow
@pytest.mark.parametrize("where", ["unix", "tcp"])
@pytest.mark.parametrize("changed", [False, True], ids=["kept", "changed"])
def test_reloads_lose_no_request_at_servers_that_others_run(
    where, changed, viaductd, stage, directory, stopping, start_front, start_load
):
    """One process serves one connection at a time, and an idle one holds it: both bridges want them."""
    servers = [Spawned(where, stage, directory, name=f"server{i}", count=WORKERS) for i in range(2)]
    stopping.extend(servers)
    addresses = [server.address for server in servers]
    keys = {"keepalive": True, "concurrency": {"limit": WORKERS}, "timeouts": {"queue": "60s"}}
    connect(viaductd, *addresses, **keys)
    viaductd.start()
    front = start_front("nginx", viaductd.socket)
    load = start_load(
        front.port, concurrency=CLIENTS, mix="both", least=2 * RELOADS * CLIENTS
    )
    tool = Tool(viaductd)
    for reload in range(2 * RELOADS):
        wait_for_answers(tool)
        if changed:
            connect(viaductd, *addresses[: 1 + reload % 2], **keys)
        report = viaductd.reload(PATIENCE)
        assert ("web restarted (connect changed)" if changed else "web kept") in report
        assert load.running()
    wait_for_answers(tool)
    assert_clean(load.finish())
    wait_for(lambda: len(viaductd.bridges()) == 1, "the old bridges are gone", PATIENCE)
    assert [server["name"] for server in tool.status()["apps"][0]["servers"]] == addresses
    assert all(alive(pid) for server in servers for pid in server.processes())
    assert http.request(front.port, "/hello").text == "hello\n"
