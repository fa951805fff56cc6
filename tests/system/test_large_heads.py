"""Response heads of SDK applications around the limits of viaductd (64 KiB) and of a link (256 KiB), and far
beyond: sent or refused, with a line in the log, never a request that hangs."""

import pytest

from harness import apps, fastcgi, http, scgi, uwsgi
from harness.ports import reserve_port
from harness.process import wait_for

KIB = 1024
LIMIT = 64 * KIB
WINDOW = 256 * KIB
SENT = (LIMIT - 1, LIMIT)
REFUSED_BY_VIADUCTD = (LIMIT + 1, 100 * KIB, WINDOW - 1, WINDOW)
REFUSED_BY_SDK = (WINDOW + 1, 1024 * KIB, 3072 * KIB)


@pytest.fixture
def overhead(stage, directory, stopping) -> int:
    """Bytes of the head beside the field's value."""
    direct = apps.Direct("sdk", stage, directory)
    stopping.append(direct)
    answer = fastcgi.request(direct.address, "/large-head?bytes=1000")
    return len(answer.out) - len(answer.body) - 1000


@pytest.fixture(params=["fastcgi", "scgi", "uwsgi", "http"])
def ask(request, viaductd):
    """ask(target): status and X-Large of the response by that protocol; viaductd is not started yet."""
    if request.param == "http":
        port = reserve_port()
        viaductd.settings["listeners"].append({"protocol": "http", "address": f"tcp:127.0.0.1:{port}", "app": "web"})

        def by_http(target):
            reply = http.request(port, target)
            return reply.status, reply.get("X-Large") or ""

        return by_http
    socket = str(viaductd.directory / "asked.sock")
    viaductd.settings["listeners"].append(
        {"protocol": request.param, "address": f"unix:{socket}", "mode": "0666", "app": "web"}
    )
    client = {"fastcgi": fastcgi, "scgi": scgi, "uwsgi": uwsgi}[request.param]

    def by_socket(target):
        answer = client.request(socket, target)
        return answer.status, answer.head.get("x-large", "")

    return by_socket


@pytest.mark.parametrize("model", ["fibers", "threads"])
def test_large_heads(viaductd, overhead, ask, model):
    # One after another would show one that is lost: none may be left behind.
    viaductd.app("sdk", workers=1, concurrency={"model": model, "limit": 2})
    viaductd.start()

    def status_of(size: int) -> int:
        status, value = ask(f"/large-head?bytes={size - overhead}")
        assert len(value) == (size - overhead if status == 200 else 0)
        return status

    assert {size: status_of(size) for size in SENT} == {size: 200 for size in SENT}
    for sizes, expected, line in [
        (REFUSED_BY_VIADUCTD, 502, "response head is too large"),
        (REFUSED_BY_SDK, 500, "a response head of "),
    ]:
        for size in sizes:
            before = viaductd.text().count(line)
            assert status_of(size) == expected, size
            wait_for(lambda: viaductd.text().count(line) > before, f"{line!r} in the log for {size}")
    for _ in range(4):
        assert ask("/hello")[0] == 200
    assert viaductd.workers() == viaductd.started()
