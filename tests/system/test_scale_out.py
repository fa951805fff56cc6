"""contrib/scale-out: three hosts with viaductd behind HAProxy and behind nginx, under load, while one is
drained, one is lost and one is cut off."""

import os
import signal
import subprocess

import pytest
import yaml

from harness import apps, http
from harness.fronts import Haproxy, Nginx, replace
from harness.load import Load, assert_clean
from harness.network import Network
from harness.paths import ROOT, SOURCE, Stage
from harness.process import descendants, wait_for
from harness.tool import Tool
from harness.viaductd import WORKER_USER, Viaductd

SCALE_OUT = SOURCE / "contrib" / "scale-out"
HOSTS = {"one": 11, "two": 12, "three": 13}


class ScaledHaproxy(Haproxy):
    def write(self, port: int) -> None:
        site = (SCALE_OUT / "haproxy.cfg").read_text()
        (self.directory / "viaduct.cfg").write_text(replace(site, "bind :80", f"bind 127.0.0.1:{port}"))


class ScaledNginx(Nginx):
    def write(self, port: int) -> None:
        super().write(port)
        site = (SCALE_OUT / "nginx.conf").read_text()
        site = replace(site, "listen 80;", f"listen 127.0.0.1:{port};")
        site = replace(site, "include fastcgi_params;", "include /etc/nginx/fastcgi_params;")
        (self.directory / "viaduct.conf").write_text(site)


@pytest.fixture
def network(stopping):
    try:
        made = Network(HOSTS)
    except OSError as error:
        pytest.skip(f"no network namespaces can be made here: {error}")
    stopping.append(made)
    return made


@pytest.fixture
def hosts(network, stage, stopping, logs):
    """name -> a viaductd that is to be started inside that host."""
    made = {}
    for name in HOSTS:
        place = Stage()
        daemon = Viaductd(stage, place.path)
        daemon.name = f"viaductd on {name}"
        settings = yaml.safe_load((SCALE_OUT / "viaduct.yaml").read_text())
        shop = settings["apps"]["shop"]
        shop["command"] = apps.command("sdk", stage)
        if ROOT:
            shop["user"] = WORKER_USER
        else:
            del shop["user"]
        daemon.settings = {"runtime_dir": str(place.path / "run"), **settings}
        logs.append(daemon)
        stopping.append(Removed(place))
        stopping.append(daemon)
        made[name] = daemon
    return made


class Removed:
    def __init__(self, place: Stage) -> None:
        self.stop = place.remove


def served(daemon: Viaductd) -> int:
    return Tool(daemon).status()["apps"][0]["requests"]


def kill(daemon: Viaductd) -> None:
    """As if the power had gone: viaductd and all that it has started."""
    pids = [daemon.pid, *descendants(daemon.pid)]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    daemon.process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ScaledHaproxy, ScaledNginx], ids=["haproxy", "nginx"])
def test_hosts_come_and_go_unnoticed(network, hosts, directory, stopping, logs, kind):
    def start(name: str) -> None:
        with network.inside(name):
            hosts[name].start()

    def gets_requests(name: str) -> None:
        before = served(hosts[name])
        wait_for(lambda: served(hosts[name]) > before + 20, f"{name} gets requests", 120)

    for name in HOSTS:
        start(name)
    with network.inside("front"):
        front = kind(directory / "front", "")
        logs.append(front)
        stopping.append(front)
        front.start()
        wait_for(lambda: http.request(front.port, "/hello").status == 200, "the site answers")
        load = Load(directory, front.port, concurrency=16, least=500, timeout=60)
        stopping.append(load)
        logs.append(load)
    for name in HOSTS:
        gets_requests(name)

    assert Tool(hosts["one"]).run("drain", timeout=60).status == 0
    start("one")
    gets_requests("one")

    kill(hosts["two"])
    gets_requests("three")
    start("two")
    gets_requests("two")

    network.cut("three")
    gets_requests("one")
    gets_requests("two")
    network.mend("three")
    gets_requests("three")
    assert_clean(load.finish(120))


def test_configurations_are_valid(directory):
    """Where nothing can be started: as far as the programs can check the files themselves."""
    done = subprocess.run([Haproxy.executable(), "-c", "-f", SCALE_OUT / "haproxy.cfg"], capture_output=True)
    assert done.returncode == 0, done.stderr


KINDS = {
    "ConfigMap": "V1ConfigMap",
    "Deployment": "V1Deployment",
    "Service": "V1Service",
    "PodDisruptionBudget": "V1PodDisruptionBudget",
}


def check_schema(value, kind: str, where: str) -> None:
    """That a manifest has only keys that the API knows, with values of the right kind."""
    from kubernetes.client import models

    if kind.startswith("list["):
        assert isinstance(value, list), where
        for index, item in enumerate(value):
            check_schema(item, kind[5:-1], f"{where}[{index}]")
    elif kind.startswith("dict("):
        assert isinstance(value, dict), where
        for key, item in value.items():
            check_schema(item, kind[5:-1].split(", ")[1], f"{where}.{key}")
    elif hasattr(models, kind):
        assert isinstance(value, dict), where
        model = getattr(models, kind)
        types = {model.attribute_map[name]: type for name, type in model.openapi_types.items()}
        for key, item in value.items():
            assert key in types, f"{where}.{key} is not known"
            check_schema(item, types[key], f"{where}.{key}")
    elif kind == "object":  # a number or text: ports, quantities
        assert isinstance(value, (int, str)), where
    else:
        assert isinstance(value, {"str": str, "int": int, "bool": bool}[kind]), f"{where}: {value!r}"


def test_kubernetes_manifest_is_valid(stage, directory):
    documents = list(yaml.safe_load_all((SCALE_OUT / "kubernetes.yaml").read_text()))
    assert [document["kind"] for document in documents] == list(KINDS)
    for document in documents:
        check_schema(document, KINDS[document["kind"]], document["kind"])
    settings, deployment, service, _ = documents
    pod = deployment["spec"]["template"]
    assert pod["metadata"]["labels"] == deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]
    (container,) = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert service["spec"]["ports"][0]["targetPort"] in ports
    config = yaml.safe_load(settings["data"]["viaduct.yaml"])
    assert config["listeners"][0]["address"].endswith(f":{ports['http']}")
    # Draining and what precedes it fit into the time that the pod is given.
    assert pod["spec"]["terminationGracePeriodSeconds"] > int(config["apps"]["shop"]["timeouts"]["stop"][:-1]) + 5

    # viaductd takes the configuration, with the test application in the image's place.
    daemon = Viaductd(stage, directory)
    config["apps"]["shop"]["command"] = apps.command("sdk", stage)
    if ROOT:
        config["apps"]["shop"]["user"] = WORKER_USER
    config["runtime_dir"] = str(directory / "run")
    daemon.settings = config
    daemon.write()
    done = subprocess.run([daemon.program, "--check", "-c", daemon.file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
