"""The examples in conf/apps/ with the real programs: each file, and the site that moves from Flask to C++."""

import os
import re
import shlex
import shutil
import subprocess

import pytest
import yaml

from harness import http
from harness.apps import command
from harness.fronts import Nginx, replace
from harness.load import assert_clean
from harness.paths import BUILD, CONF, ROOT
from harness.process import Process, accepts, wait_for
from harness.servers import Uwsgi
from harness.viaductd import WORKER_USER

EXAMPLES = CONF / "apps"
SITE = EXAMPLES / "flask-to-cpp"

# file -> the path in it, and the test application that takes its place
PROGRAMS = {
    "libfcgi.yaml": ("/srv/orders/bin/orders", "libfcgi"),
    "perl-fcgi.yaml": ("/srv/forum/forum.fcgi", "perl"),
    "plack.yaml": ("/srv/wiki/app.psgi", "plack"),
    "php.yaml": ("/srv/blog/index.php", "php"),
    "ruby.yaml": ("/srv/tracker/config.ru", "ruby"),
    "flask.yaml": ("/srv/shop/app.py", "flask"),
    "fcgiwrap.yaml": ("/srv/reports/report.cgi", "fcgiwrap"),
}
# These connect to what runs already: the path of its socket.
CONNECTING = {"uwsgi-socket.yaml": "/run/shop/flask.sock"}
SCRIPTS = {"php": "app.php", "fcgiwrap": "app.cgi"}


def adapted(text: str) -> str:
    """With users that exist here."""
    if ROOT:
        return re.sub(r"\buser: \w+", f"user: {WORKER_USER}", text)
    return re.sub(r" +(group|user): .*\n", "", text)


def serve(text: str, viaductd, directory, start_front):
    """viaductd with that file included, and a front server that leads to its app."""
    (directory / "apps.d").mkdir()
    (directory / "apps.d" / "example.yaml").write_text(text)
    (name,) = yaml.safe_load(text)["apps"]
    viaductd.settings["include"] = ["apps.d/*.yaml"]
    for listener in viaductd.settings["listeners"]:
        listener["app"] = name
    viaductd.start()
    return start_front("nginx", viaductd.socket)


def test_every_example_is_tested():
    assert {path.name for path in EXAMPLES.glob("*.yaml")} == set(PROGRAMS) | set(CONNECTING)


@pytest.mark.parametrize("file", PROGRAMS)
def test_example_serves(viaductd, start_front, stage, directory, file):
    path, kind = PROGRAMS[file]
    words = command(kind, stage)
    program = str(stage.path / SCRIPTS[kind]) if kind in SCRIPTS else words[-1]
    text = adapted(replace((EXAMPLES / file).read_text(), path, program))
    front = serve(text, viaductd, directory, start_front)
    size = 99_000
    for _ in range(8):
        assert http.request(front.port, "/hello").text == "hello\n"
    body = b"".join(http.pattern(size))
    assert http.request(front.port, "/digest", "POST", body=body).text == f"{size} {http.pattern_sha256(size)}\n"
    # nginx buffers: CONTENT_LENGTH is known, as the examples for those that need it say.
    chunks = http.request(front.port, "/digest", "POST", body=list(http.pattern(size)), chunked=True)
    assert chunks.text == f"{size} {http.pattern_sha256(size)}\n"
    assert http.request(front.port, "/nowhere").status == 404


@pytest.mark.parametrize("file", CONNECTING)
def test_example_connects(viaductd, start_front, stage, directory, stopping, file):
    server = Uwsgi("uwsgi", stage, directory, viaductd.marks)
    stopping.append(server)
    text = replace((EXAMPLES / file).read_text(), CONNECTING[file], str(server.path))
    front = serve(text, viaductd, directory, start_front)
    assert http.request(front.port, "/hello").text == "hello\n"
    size = 99_000
    for chunked in (False, True):
        body = list(http.pattern(size)) if chunked else b"".join(http.pattern(size))
        reply = http.request(front.port, "/digest", "POST", body=body, chunked=chunked)
        assert reply.text == f"{size} {http.pattern_sha256(size)}\n"


class UwsgiNginx(Nginx):
    """nginx with the site of flask-to-cpp."""

    def write(self, port: int) -> None:
        site = (SITE / "nginx.conf").read_text()
        site = replace(site, "listen 80;", f"listen 127.0.0.1:{port};")
        site = replace(site, "/run/shop/shop.sock;", f"{self.upstream};")
        (self.directory / "viaduct.conf").write_text(site)
        shutil.copy(CONF / "nginx" / "standalone.conf", self.directory)


@pytest.fixture
def shop(viaductd, directory):
    """move(text): a file or command of the example with its paths below the test's directory."""
    folder = directory / "shop"
    folder.mkdir(mode=0o755)

    def move(text: str) -> str:
        return (
            text.replace("/srv/shop", str(folder))
            .replace("/run/viaduct/shop.sock", viaductd.socket)
            .replace("/run/shop", str(directory))
            .replace("/etc/viaduct/viaduct.yaml", str(viaductd.file))
        )

    for path in SITE.iterdir():
        text = path.read_text()
        if path.suffix == ".yaml":
            text = adapted(text) + f"runtime_dir: {directory}/run\n"
            # The front server of the tests runs as whoever runs them, or as www-data.
            text = text.replace("    group: www-data\n", '    mode: "0666"\n')
        (folder / path.name).write_text(move(text))
        (folder / path.name).chmod(0o644)
    return move


@pytest.fixture
def run_block(shop, viaductd, directory):
    """run_block(name): the lines of that block of the page, one by one; returns their output."""
    blocks = dict(re.findall(r"```sh (\S+)\n(.*?)```", (SITE / "README.md").read_text(), re.DOTALL))
    prefix = directory / "local"
    subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, capture_output=True)
    environment = {
        **os.environ,
        "PATH": f"{prefix}/sbin:{prefix}/bin:{os.environ['PATH']}",
        "CMAKE_PREFIX_PATH": str(prefix),
        "VIADUCT_CONTROL": f"unix:{directory}/run/control.sock",
    }

    def run(name: str) -> str:
        output = ""
        for line in blocks[name].strip().splitlines():
            words = shlex.split(shop(line.removeprefix("sudo ")))
            done = subprocess.run(words, cwd=directory, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
            output += done.stdout
        return output

    return run


@pytest.fixture
def start_nginx(directory, stopping, logs):
    def start(name: str, upstream: str) -> Nginx:
        front = UwsgiNginx(directory / name, upstream)
        logs.append(front)
        stopping.append(front)
        return front.start()

    return start


def served_by(port: int) -> str:
    orders = http.request(port, "/orders")
    assert (orders.status, orders.text) == (200, "1: two bolts\n2: a nut\n")
    order = http.request(port, "/orders", "POST", body=b"a screw")
    assert (order.status, order.text) == (201, "ordered: a screw\n")
    assert http.request(port, "/").text == "The shop (Flask)\n"
    assert http.request(port, "/nowhere").status == 404
    assert order.get("X-Served-By") == orders.get("X-Served-By")
    return orders.get("X-Served-By")


def test_flask_to_cpp(viaductd, directory, shop, run_block, start_nginx, start_load, stopping, logs):
    folder = directory / "shop"
    uwsgi = Process(["/usr/bin/uwsgi", "--ini", folder / "before.ini"], directory / "uwsgi.log")
    stopping.append(uwsgi)
    logs.append(directory / "uwsgi.log")
    socket = directory / "shop.sock"
    wait_for(lambda: accepts(socket), "uWSGI listens")
    socket.chmod(0o666)
    assert served_by(start_nginx("before", str(socket)).port) == "Flask"

    run_block("step-1")
    viaductd.write = lambda: None
    viaductd.start()
    front = start_nginx("after", viaductd.socket)
    assert served_by(front.port) == "Flask"

    load = start_load(front.port, concurrency=4, target="/orders", expect="1: two bolts\n2: a nut\n")
    report = run_block("step-2")
    assert "shop kept" in report and "orders added" in report
    assert served_by(front.port) == "C++"
    report = run_block("back")
    assert "shop kept" in report
    assert served_by(front.port) == "Flask"
    assert_clean(load.finish())
