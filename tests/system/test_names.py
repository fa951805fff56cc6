"""Servers of `connect` that are known by name: the addresses follow the DNS."""

import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import http
from harness.apps import command
from harness.load import assert_clean
from harness.name_server import LateMachine, Machine, NameServer
from harness.network import Network
from harness.paths import ROOT
from harness.process import wait_for
from harness.tool import Tool

NAME = "shop.test"
ONE, TWO, THREE = "127.0.0.2", "127.0.0.3", "127.0.0.4"
FAILING = "name of a server cannot be resolved"


class Server:
    """A FastCGI program with two processes on port 9000 of an address of the loopback network."""

    def __init__(self, address: str, stage, directory) -> None:
        self.file = directory / f"{address}.pid"
        words = ["-a", address, "-p", "9000", "-F", "2", "-P", str(self.file)]
        subprocess.run(
            ["spawn-fcgi", *words, "--", *command("libfcgi", stage)], check=True, stdout=subprocess.DEVNULL
        )
        self.pids = set(self.file.read_text().split())

    def stop(self) -> None:
        for pid in self.pids:
            os.kill(int(pid), signal.SIGKILL)


class Site:
    """viaductd in a network of its own, with one name server, and a front server that leads there."""

    def __init__(self, network, viaductd, machine, dns) -> None:
        self.network, self.viaductd, self.machine, self.dns = network, viaductd, machine, dns
        self.servers: dict[str, Server] = {}
        self.front = None

    def pid(self) -> str:
        return http.request(self.front.port, "/pid").text.strip()

    def answering(self, count: int = 80) -> set[str]:
        """The addresses that answer so many requests, eight of them at a time."""
        with ThreadPoolExecutor(8) as clients:
            pids = set(clients.map(lambda _: self.pid(), range(count)))
        found = {a for a, server in self.servers.items() if server.pids & pids}
        assert pids <= set().union(*(server.pids for server in self.servers.values()))
        return found

    def only(self, address: str) -> None:
        """That one answers; each thread of the bridge hears of a change in its own time."""
        wait_for(lambda: self.answering() == {address}, f"only {address} answers")
        assert self.answering() == {address}

    def listed(self) -> list[str]:
        return [server["name"] for server in Tool(self.viaductd).status()["apps"][0]["servers"]]

    def lines(self, text: str) -> list[str]:
        return [line for line in self.viaductd.lines() if text in line]


@pytest.fixture
def site(viaductd, stage, directory, stopping, start_front):
    """site(connect=[...], serving=[...]): started, with servers at the addresses of `serving`."""

    def start(
        connect=(f"tcp:{NAME}:9000",),
        serving=(ONE, TWO, THREE),
        dns=True,
        names=None,
        machine=Machine,
        name_server="127.0.0.1",
        **keys,
    ) -> Site:
        try:
            network = Network({})
        except OSError as error:
            pytest.skip(f"no network namespaces can be made here: {error}")
        stopping.append(network)
        made = Site(network, viaductd, machine(directory), NameServer(name_server))
        made.dns.names = names if names is not None else {}
        viaductd.settings.setdefault("bridge", {})["threads"] = 2
        viaductd.settings["apps"]["web"] = {"connect": list(connect), **keys}
        with network.inside("front"):
            for address in serving:
                made.servers[address] = Server(address, stage, directory)
                stopping.append(made.servers[address])
            if dns:
                stopping.append(made.dns.start())
            viaductd.start(prefix=made.machine.prefix)
        made.front = start_front("nginx", viaductd.socket)
        return made

    return start


def test_all_addresses_serve_and_follow_the_answer_under_load(site, start_load):
    made = site(names={NAME: [ONE, TWO]})
    wait_for(lambda: made.answering() == {ONE, TWO}, "both addresses answer")
    load = start_load(made.front.port, concurrency=8, least=100)
    made.dns.names[NAME] = [TWO, THREE]
    made.viaductd.logged(f"added={THREE} removed={ONE}")
    # Requests that were sent there before may still be at the one that is gone.
    wait_for(lambda: THREE in made.answering(), "the new address answers")
    assert ONE not in made.answering()
    made.dns.names[NAME] = [ONE]
    made.viaductd.logged(f'added={ONE} removed="{TWO} {THREE}"')
    made.only(ONE)
    assert_clean(load.finish())
    assert made.lines(FAILING) == []
    wait_for(lambda: made.listed() == [f"tcp:{NAME}:9000 ({ONE})"], "the status lists what is left")


def test_requests_under_way_end_at_a_server_that_has_left_the_answer(site):
    made = site(names={NAME: [ONE]})
    made.viaductd.logged(f"added={ONE}")
    replies = []
    request = threading.Thread(target=lambda: replies.append(http.request(made.front.port, "/sleep?ms=5000")))
    request.start()
    wait_for(lambda: Tool(made.viaductd).status()["apps"][0]["active"] == 1, "it is under way")
    made.dns.names[NAME] = [TWO]
    made.viaductd.logged(f"removed={ONE}")
    made.only(TWO)
    request.join()
    assert (replies[0].status, replies[0].text) == (200, "slept\n")


def test_a_dead_name_server_changes_nothing_and_is_logged_once(site, start_load):
    made = site(names={NAME: [ONE, TWO]})
    wait_for(lambda: made.answering() == {ONE, TWO}, "both addresses answer")
    load = start_load(made.front.port, concurrency=4, least=100)
    made.dns.broken = True
    made.viaductd.logged(FAILING)
    asked = made.dns.questions
    wait_for(lambda: made.dns.questions > asked + 12, "it is asked again")
    made.dns.stop()
    assert made.answering() == {ONE, TWO}
    made.dns.broken = False
    with made.network.inside("front"):
        made.dns.start()
    line = made.viaductd.logged("name of a server is resolved again", 90)
    assert f"name={NAME}" in line
    assert len(made.lines(FAILING)) == 1
    assert len(made.lines("name of a server has other addresses")) == 1
    assert_clean(load.finish())


def test_a_name_that_does_not_exist_yet_is_503_and_served_once_it_does(site):
    made = site(timeouts={"queue": "300ms"})
    reply = http.request(made.front.port, "/hello")
    assert (reply.status, len(reply.all("Retry-After"))) == (503, 1)
    made.viaductd.logged(FAILING)
    made.dns.names[NAME] = [ONE]
    wait_for(lambda: http.request(made.front.port, "/hello").status == 200, "the name is found", 90)
    assert made.viaductd.generations() <= 1, "a reload was needed"


def test_other_addresses_of_the_app_serve_at_once(site):
    made = site(connect=(f"tcp:{NAME}:9000", f"tcp:{TWO}:9000"), dns=False)
    assert made.answering() == {TWO}


def test_names_in_the_hosts_file_need_no_name_server(site):
    made = site(connect=("tcp:backend:9000",), dns=False, serving=())
    made.viaductd.logged(FAILING)
    made.machine.hosts.write_text(f"127.0.0.1 localhost\n{ONE} backend\n{TWO} backend\n")
    made.viaductd.logged(f'added="{ONE} {TWO}"', 90)
    made.machine.hosts.write_text(f"127.0.0.1 localhost\n{TWO} backend\n")
    made.viaductd.logged(f"removed={ONE}", 90)


def test_addresses_that_are_no_servers_are_ignored(site):
    made = site(names={NAME: ["0.0.0.0", "224.0.0.1", ONE, "255.255.255.255"]})
    line = made.viaductd.logged("addresses of a server's name are ignored")
    assert 'addresses="0.0.0.0 224.0.0.1 255.255.255.255"' in line
    assert made.answering() == {ONE}


def test_a_reload_resolves_anew(site, start_load):
    made = site(names={NAME: [ONE]})
    wait_for(lambda: made.answering() == {ONE}, "the address answers")
    load = start_load(made.front.port, concurrency=4, least=10)
    made.viaductd.settings["apps"]["web"]["concurrency"] = {"limit": 8}
    made.viaductd.reload()
    wait_for(lambda: len(made.lines("name of a server has other addresses")) == 2, "the new bridge to ask")
    assert made.answering() == {ONE}
    assert_clean(load.finish())


@pytest.mark.skipif(not ROOT, reason="the sandbox of a bridge of one's own user is looked at elsewhere")
def test_a_resolv_conf_that_comes_later_is_named_and_read_after_a_reload(site, viaductd, directory):
    """As systemd-resolved makes it: where the bridge began before, its sandbox keeps it from the file."""
    # Files of the spool's directory may be read, those beside it may not.
    spool = directory / "spool"
    spool.mkdir()
    spool.chmod(0o777)
    viaductd.settings["bridge"] = {"spool": str(spool)}
    made = site(names={NAME: [ONE]}, machine=LateMachine, name_server="127.0.0.53")
    if "landlock" in viaductd.text():
        pytest.skip("this kernel has no Landlock")
    made.viaductd.logged(FAILING)
    made.machine.appear(made.dns.address)
    line = made.viaductd.logged("resolv.conf cannot be read, names are looked up without it")
    assert f"target={made.machine.target}" in line and "a reload helps" in line
    assert made.lines("name of a server has other addresses") == []
    made.viaductd.reload()
    made.viaductd.logged(f"added={ONE}")
    wait_for(lambda: made.answering() == {ONE}, "the address answers")
    assert len(made.lines("resolv.conf cannot be read")) == 1


def test_a_server_that_cannot_be_reached_is_named_with_its_address(site):
    made = site(names={NAME: [ONE, TWO]}, serving=(TWO,))
    wait_for(lambda: made.answering() and made.lines("server cannot be reached"), "the dead one is tried")
    assert f'server="tcp:{NAME}:9000 ({ONE})"' in made.lines("server cannot be reached")[0]


def test_checking_resolves_nothing(viaductd):
    viaductd.settings["apps"]["web"] = {"connect": ["tcp:no.such.host.invalid:9000"]}
    # For which there are descriptors anywhere.
    viaductd.settings["limits"] = {"connections": 100}
    viaductd.write()
    done = viaductd.check()
    assert (done.returncode, done.stderr) == (0, "")
