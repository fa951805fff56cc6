"""Clients that claim to be somebody else, to use HTTPS or another host, through the real front servers."""

import itertools
import os
import re
import signal

import pytest

from harness import http
from harness.apps import command
from harness.direct import App, ModuleApache, PassingNginx
from harness.fronts import Caddy, Front, Haproxy, Lighttpd, replace
from harness.ports import reserve_port
from harness.ways import WAYS

FIELDS = {
    "Forwarded": "for=6.6.6.6;proto=https;host=evil.example",
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Server": "evil.example",
    "X-Forwarded-By": "6.6.6.6",
    "X-Forwarded-Scheme": "https",
    "X-Forwarded-Ssl": "on",
    "X-Real-IP": "6.6.6.6",
    "Front-End-Https": "on",
}
CLIENT = "127.0.0.2"  # the servers have 127.0.0.1
UNDERSCORED = {name.replace("-", "_"): value for name, value in FIELDS.items() if "-" in name}
# Every spelling of which CGI makes the same variable.
SPELLINGS = {
    "".join(letters): value
    for name, value in FIELDS.items()
    for letters in itertools.product(*("-_" if letter == "-" else letter for letter in name))
}
SITES = ["nginx", "nginx-scgi", "apache", "apache-scgi", "caddy", "lighttpd", "lighttpd-scgi", "haproxy"]


def alone_and_in_pairs(fields: dict[str, str]) -> list[list[tuple[str, str]]]:
    items = list(fields.items())
    return [[item] for item in items] + [list(pair) for pair in itertools.combinations(items, 2)]


def answers(port: int, requests: list[list[tuple[str, str]]]):
    """Each request's fields and the variables that the application got with them."""
    for begin in range(0, len(requests), 50):  # Apache ends a connection after 100
        with http.Connection(port, source=CLIENT) as client:
            for sent in requests[begin : begin + 50]:
                client.send_head("GET", "/env", [("Host", "shop.test"), *sent])
                yield sent, client.read_reply().variables()


def family(variables: dict[str, str]) -> set[str]:
    """The fields of the family that the application got."""
    names = {name.removeprefix("header:").lower() for name in variables if name.startswith("header:")}
    return names & {name.lower() for name in FIELDS}


def check_truth(variables: dict[str, str], sent, address: str = CLIENT) -> None:
    seen = {name: variables.get(name) for name in ("REMOTE_ADDR", "HTTPS", "HTTP_HOST")}
    assert seen == {"REMOTE_ADDR": address, "HTTPS": None, "HTTP_HOST": "shop.test"}, sent
    assert variables.get("REQUEST_SCHEME", "http") == "http", sent
    # "": of an nginx without server_name.
    assert variables["SERVER_NAME"] in ("shop.test", "localhost", "127.0.0.1", ""), sent
    assert variables["SERVER_PORT"] != "443", sent


# The sites of conf/, and listeners as they are by default.


@pytest.fixture(params=SITES)
def site(request, viaductd, start_front):
    viaductd.app("sdk")
    viaductd.start()
    variant = request.param
    return start_front(variant, viaductd.scgi if "scgi" in variant else viaductd.socket)


def test_sites_tell_the_truth_and_strip_the_rest(site):
    for sent, variables in answers(site.port, alone_and_in_pairs({**FIELDS, **UNDERSCORED})):
        check_truth(variables, sent)
        assert not family(variables), sent
    for sent, variables in answers(site.port, [[item] for item in SPELLINGS.items()]):
        check_truth(variables, sent)
        assert not family(variables), sent


class CarelessCaddy(Caddy):
    """The site of conf/, but every field reaches viaductd, spellings with _ as well."""

    def write(self, port: int) -> None:
        super().write(port)
        file = self.directory / "viaduct.caddy"
        file.write_text(re.sub(r"\n\s*header_up -[FX].*", "", file.read_text()))


@pytest.mark.parametrize("forwarded", ["pass", "none"])
def test_listeners_strip_what_a_front_server_does_not(viaductd, directory, stopping, logs, forwarded):
    viaductd.settings["listeners"][0]["forwarded"] = forwarded
    viaductd.app("sdk")
    viaductd.start()
    front = CarelessCaddy(directory / "caddy", viaductd.socket)
    logs.append(front)
    stopping.append(front)
    front.start()
    for sent, variables in answers(front.port, [[item] for item in {**FIELDS, **UNDERSCORED}.items()]):
        check_truth(variables, sent)
        assert bool(family(variables)) == (forwarded == "pass"), sent


@pytest.mark.parametrize("forwarded", ["pass", "none"])
@pytest.mark.parametrize("name", [name for name, protocol in WAYS if protocol == "uwsgi"])
def test_uwsgi_tells_the_truth(viaductd, directory, stopping, logs, name, forwarded):
    """Front servers in their ordinary configuration, which pass every field on."""
    path = str(directory / "uwsgi.sock")
    listener = {"protocol": "uwsgi", "address": f"unix:{path}", "mode": "0666", "app": "web"}
    viaductd.settings["listeners"].append({**listener, "forwarded": forwarded})
    viaductd.app("sdk")
    viaductd.start()
    front = WAYS[name, "uwsgi"](directory / name, path)
    logs.append(front)
    stopping.append(front)
    front.start()
    for sent, variables in answers(front.port, alone_and_in_pairs(FIELDS)):
        check_truth(variables, sent)
        assert bool(family(variables)) == (forwarded == "pass"), sent


# HTTP listeners behind proxies in their ordinary configuration: each appends to X-Forwarded-For.


class ProxyingNginx(PassingNginx):
    def __init__(self, directory, upstream: str) -> None:
        super().__init__(directory, "/" + upstream, "http")

    def write(self, port: int) -> None:
        super().write(port)
        file = self.directory / "viaduct.conf"
        file.write_text(replace(file.read_text(), f"http://unix:{self.upstream}", f"http:/{self.upstream}"))


class ProxyingApache(ModuleApache):
    def __init__(self, directory, upstream: str) -> None:
        lines = f'ProxyPreserveHost On\nProxyPass "/" "http://{upstream}/"\n'
        super().__init__(directory, ["proxy_http"], lines)


class ProxyingCaddy(Caddy):
    def write(self, port: int) -> None:
        super().write(port)
        site = f":{port} {{\n\treverse_proxy {self.upstream}\n}}\n"
        (self.directory / "viaduct.caddy").write_text(site)


class ProxyingHaproxy(Haproxy):
    def __init__(self, directory, upstream: str, server: str = "", mode: str = "http") -> None:
        super().__init__(directory, upstream)
        self.server, self.mode = server, mode

    def write(self, port: int) -> None:
        (self.directory / "viaduct.cfg").write_text(
            f"""defaults
  mode {self.mode}
  timeout connect 5s
  timeout client 90s
  timeout server 90s
frontend web
  bind 127.0.0.1:{port}
  {"option forwardfor" if self.mode == "http" else ""}
  default_backend shop
backend shop
  server viaduct {self.upstream} {self.server}
"""
        )


class ProxyingLighttpd(Lighttpd):
    def write(self, port: int) -> None:
        super().write(port)
        host, _, upstream = self.upstream.rpartition(":")
        (self.directory / "viaduct.conf").write_text(
            f"""server.modules += ( "mod_proxy" )
proxy.server = ( "" => (( "host" => "{host}", "port" => {upstream} )) )
"""
        )


PROXIES = {
    "nginx": ProxyingNginx,
    "apache": ProxyingApache,
    "caddy": ProxyingCaddy,
    "haproxy": ProxyingHaproxy,
    "lighttpd": ProxyingLighttpd,
}


@pytest.fixture
def behind(viaductd, directory, stopping, logs):
    """behind("nginx", forwarded="none"): that proxy, running, in front of an HTTP listener."""

    def start(name: str, *words: str, **keys) -> Front:
        port = reserve_port()
        viaductd.settings["listeners"].append(
            {"protocol": "http", "address": f"tcp:127.0.0.1:{port}", "app": "web", **keys}
        )
        viaductd.app("sdk")
        viaductd.start()
        front = PROXIES[name](directory / "proxy", f"127.0.0.1:{port}", *words)
        logs.append(front)
        stopping.append(front)
        return front.start()

    return start


def believed(**keys) -> dict:
    return {"trusted": ["127.0.0.1"], "forwarded": "x-forwarded-for", **keys}


@pytest.mark.parametrize("keys", [{}, {"trusted": ["127.0.0.1"], "forwarded": "none"}, believed()])
@pytest.mark.parametrize("name", PROXIES)
def test_proxies_are_believed_in_what_they_append(behind, name, keys):
    front = behind(name, **keys)
    address = CLIENT if keys.get("forwarded") == "x-forwarded-for" else "127.0.0.1"
    for sent, variables in answers(front.port, alone_and_in_pairs(FIELDS)):
        check_truth(variables, sent, address)
        assert not family(variables), sent


@pytest.mark.parametrize("name", ["nginx", "caddy", "lighttpd"])
def test_the_scheme_of_a_proxy_that_sets_it(behind, name):
    front = behind(name, **believed(forwarded_proto=True))
    for sent, variables in answers(front.port, alone_and_in_pairs(FIELDS)):
        check_truth(variables, sent)


@pytest.mark.parametrize("forwarded", ["none", "x-forwarded-for"])
@pytest.mark.parametrize("name", PROXIES)
def test_forwarded_of_a_client_is_believed_nowhere(behind, name, forwarded):
    front = behind(name, trusted=["127.0.0.1"], forwarded=forwarded)
    address = CLIENT if forwarded == "x-forwarded-for" else "127.0.0.1"
    field = ("Forwarded", "for=6.6.6.6;proto=https;host=evil.example")
    for sent, variables in answers(front.port, [[field]]):
        check_truth(variables, sent, address)


@pytest.mark.parametrize("server", ["send-proxy", "send-proxy-v2"])
@pytest.mark.parametrize("forwarded", ["none", "x-forwarded-for", "forwarded"])
def test_clients_that_a_proxy_header_names_are_not_believed(behind, server, forwarded):
    keys = {"trusted": ["127.0.0.1"], "proxy_protocol": True, "forwarded": forwarded}
    if forwarded != "none":
        keys.update(forwarded_host=True, forwarded_proto=True)
    front = behind("haproxy", server, "tcp", **keys)
    for sent, variables in answers(front.port, alone_and_in_pairs(FIELDS)):
        check_truth(variables, sent)
        assert not family(variables), sent


@pytest.mark.parametrize("name", PROXIES)
def test_an_application_that_serves_http_follows_the_same_rules(stage, directory, stopping, logs, name):
    serving = [*command("sdk", stage), "--http", "tcp:127.0.0.1:0"]
    environment = {**os.environ, "MARKS": str(directory)}
    believing = ["--trusted", "127.0.0.1", "--forwarded", "x-forwarded-for"]
    for words, address in (([], "127.0.0.1"), (believing, CLIENT)):
        app = App([*serving, *words], directory / f"app{len(words)}.log", env=environment)
        stopping.append(app)
        front = PROXIES[name](directory / f"proxy{len(words)}", f"127.0.0.1:{app.wait_for_port()}")
        logs.append(front)
        stopping.append(front)
        front.start()
        for sent, variables in answers(front.port, alone_and_in_pairs(FIELDS)):
            check_truth(variables, sent, address)
            assert not family(variables), sent


def test_reload_changes_what_is_believed(viaductd):
    port = reserve_port()
    listener = {"protocol": "http", "address": f"tcp:127.0.0.1:{port}", "app": "web"}
    viaductd.settings["listeners"].append(listener)
    viaductd.app("sdk")
    viaductd.start()

    def address() -> str:
        headers = [("X-Forwarded-For", "192.0.2.7"), ("Forwarded", "for=192.0.2.8")]
        return http.request(port, "/env", headers=headers).variables()["REMOTE_ADDR"]

    assert address() == "127.0.0.1"
    said = {"x-forwarded-for": "192.0.2.7", "forwarded": "192.0.2.8", "none": "127.0.0.1"}
    for source, expected in said.items():
        listener.update(trusted=["127.0.0.1"], forwarded=source)
        viaductd.reload()
        assert address() == expected


def test_trusted_without_a_source_says_what_to_write(viaductd):
    listener = {"protocol": "http", "address": f"tcp:127.0.0.1:{reserve_port()}", "app": "web"}
    viaductd.settings["listeners"].append(listener)
    viaductd.app("sdk")
    viaductd.start()
    listener["trusted"] = ["127.0.0.1"]
    viaductd.write()
    checked = viaductd.check()
    assert checked.returncode == 78
    words = 'expected the key "forwarded" beside it: x-forwarded-for or forwarded'
    assert words in checked.stderr
    generations = viaductd.generations()
    viaductd.process.send(signal.SIGHUP)
    assert words in viaductd.logged("listeners[2].trusted")
    assert viaductd.generations() == generations
