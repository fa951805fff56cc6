"""Routes of a listener behind each front server: by host, path, method and header field."""

import json

import pytest

from harness import http
from harness.process import complete_lines, wait_for

FRONTS = ["nginx", "nginx-scgi", "apache", "apache-scgi", "caddy", "lighttpd", "lighttpd-scgi", "haproxy"]
APPS = ("shop", "orders", "search", "beta", "blog", "any")


def configure(viaductd, routes: list, **more) -> None:
    for name in APPS:
        viaductd.app("sdk", name, env={"NAME": name})
    viaductd.settings["listeners"] = [
        {"protocol": protocol, "address": f"unix:{path}", "mode": "0666", "routes": routes, **more}
        for protocol, path in (("fastcgi", viaductd.socket), ("scgi", viaductd.scgi))
    ]


ROUTES = [
    {"host": "Shop.Test", "app": "shop"},
    {"host": "shop.test", "path": "/orders", "mount": True, "app": "orders"},
    {"host": "shop.test", "path": "/orders", "methods": ["GET"], "app": "search"},
    {"host": "*.shop.test", "exact": "/env", "app": "shop"},
    {"host": "*.shop.test", "exact": "/env", "header": "X-Beta=yes", "app": "beta"},
    {"path": "/blog", "app": "blog"},
]

# host, path, method, fields -> app, and what it sees of the path: SCRIPT_NAME and PATH_INFO, or
# both together where the front server decides how they are split
CASES = [
    ("shop.test", "/env", "GET", [], "shop", "/env"),
    ("SHOP.test:8080", "/env", "GET", [], "shop", "/env"),
    ("shop.test", "/orders/env", "POST", [], "orders", ("/orders", "/env")),
    ("shop.test", "/orders/env", "GET", [], "search", None),
    ("shop.test", "/orders/env", "HEAD", [], "search", None),
    ("a.b.shop.test", "/env", "GET", [("X-Beta", "yes")], "beta", "/env"),
    ("a.shop.test", "/env", "GET", [("X-Beta", "no")], "shop", "/env"),
    ("a.shop.test", "/env/x", "GET", [("X-Beta", "no")], None, None),
    ("elsewhere.test", "/blog/env", "GET", [], "blog", None),
    ("a.shop.test", "/blog/env", "GET", [], "blog", None),
    ("elsewhere.test", "/blogger", "GET", [], None, None),
    ("elsewhere.test", "/env", "GET", [], None, None),
]


class AccessLog:
    """Says which app a request went to, found by its query."""

    def __init__(self, viaductd) -> None:
        self.path = viaductd.directory / "access.log"
        viaductd.settings["access_log"] = {"to": str(self.path)}

    def app(self, query: str) -> str:
        def find():
            lines = complete_lines(self.path.read_text()) if self.path.exists() else []
            return next((json.loads(line)["app"] for line in lines if f"?{query}" in line), None)

        return wait_for(find, f"the access log has ?{query}")


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("default", [False, True], ids=["no default", "default"])
def test_requests_go_where_the_routes_say(viaductd, start_front, front, default):
    configure(viaductd, ROUTES, **({"default": "any"} if default else {}))
    log = AccessLog(viaductd)
    viaductd.start()
    server = start_front(front, viaductd.scgi if "scgi" in front else viaductd.socket)
    for number, (host, path, method, fields, app, seen) in enumerate(CASES):
        what = f"{method} http://{host}{path} {fields}"
        query = f"case={number}."
        body = b"x" if method == "POST" else None
        reply = http.request(server.port, f"{path}?{query}", method, [("Host", host), *fields], body)
        if app is None and not default:
            assert reply.status == 404, what
            continue
        assert log.app(query) == (app or "any"), what
        if seen is None:
            continue
        variables = reply.variables()
        found = variables.get("SCRIPT_NAME", ""), variables.get("PATH_INFO", "")
        assert found == seen or "".join(found) == seen, what
        assert variables["REQUEST_URI"] == f"{path}?{query}", what
