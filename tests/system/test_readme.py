"""README.md does what it says: its blocks are extracted and run, its paths exist."""

import os
import re
import subprocess

import pytest

from harness import http
from harness.paths import BUILD, ROOT, SOURCE
from harness.viaductd import WORKER_USER

README = (SOURCE / "README.md").read_text()
BLOCKS = {name: text for name, text in re.findall(r"```\w+ (\S+)\n(.*?)```", README, re.DOTALL)}


def run(script: str, directory, **environment) -> None:
    for line in script.strip().splitlines():
        result = subprocess.run(
            ["sh", "-c", line.removeprefix("sudo ")],
            cwd=directory,
            capture_output=True,
            text=True,
            env={**os.environ, **environment},
        )
        assert result.returncode == 0, f"{line}\n{result.stdout}\n{result.stderr}"


def test_five_minutes(viaductd, start_front, directory):
    """The blocks in order, with /srv, /etc, /run and /usr/local moved below a directory."""

    def move(text: str) -> str:
        return (
            text.replace("/srv/shop", f"{directory}/shop")
            .replace("/run/viaduct/web.sock", viaductd.socket)
            .replace("/etc/viaduct", str(viaductd.file.parent))
            .replace("/etc/nginx", f"{directory}/nginx-etc")
        )

    def without(block: str, line: str) -> str:
        """The block without that line, which is for the machine's own administrator."""
        assert f"{line}\n" in BLOCKS[block]
        return BLOCKS[block].replace(f"{line}\n", "")

    # Packages and build are there, or this test would not run; contrib/quickstart takes those steps.
    install = BLOCKS["install"].splitlines()
    assert install[:3] == [
        "contrib/install-packages",
        "cmake --preset release -DVIADUCT_BUILD_TESTS=OFF",
        "cmake --build --preset release",
    ]
    prefix = directory / "local"
    assert install[4] == "sudo contrib/make-user"
    run(install[3].replace("build/release --prefix /usr", f"{BUILD} --prefix {prefix}"), SOURCE)
    program = prefix / "sbin" / "viaductd"

    viaductd.file = directory / "etc" / "viaduct.yaml"
    run(move(without("prepare", "sudo useradd --system --shell /usr/sbin/nologin shop")), directory)
    assert (directory / "shop").stat().st_uid == os.geteuid()
    for name in ("main.cpp", "CMakeLists.txt"):
        (directory / "shop" / name).write_text(BLOCKS[f"/srv/shop/{name}"])
    run(move(BLOCKS["build"]), directory, CMAKE_PREFIX_PATH=str(prefix))

    configuration = move(BLOCKS["/etc/viaduct/viaduct.yaml"])
    configuration += f"runtime_dir: {directory}/run\n"
    if ROOT:
        configuration = configuration.replace("user: shop", f"user: {WORKER_USER}")
    else:
        configuration = re.sub(r" +(group|user): .*\n", "", configuration)
    viaductd.file.write_text(configuration)
    viaductd.write = lambda: None
    path = f"{program.parent}:{os.environ['PATH']}"
    run(move(BLOCKS["check"]), directory, PATH=path)
    viaductd.program = program
    viaductd.start()

    (directory / "nginx-etc").mkdir()
    for folder in ("sites-available", "sites-enabled"):
        (directory / "nginx-etc" / folder).mkdir()
    (directory / "nginx-etc/sites-enabled/default").touch()
    run(move(without("front", "sudo systemctl reload nginx")), SOURCE)
    (enabled,) = (directory / "nginx-etc/sites-enabled").iterdir()
    assert enabled.read_text() == (SOURCE / "conf/nginx/viaduct.conf").read_text()

    front = start_front("nginx", viaductd.socket)
    page = http.request(front.port, "/", headers=[("Host", "shop.test")])
    assert (page.status, page.text) == (200, "<h1>The shop at shop.test</h1>\n")
    assert http.request(front.port, "/items/42").text == "item 42\n"
    assert http.request(front.port, "/items/x").status == 404
    order = http.request(front.port, "/orders", "POST", body=b"two bolts")
    assert (order.status, order.text) == (201, "ordered: two bolts\n")


def test_configuration_of_the_tutorial_is_good(viaductd, directory):
    (block,) = re.findall(r"```yaml\n(.*?)```", (SOURCE / "sdk/README.md").read_text(), re.DOTALL)
    (directory / "bin").mkdir()
    (directory / "bin/guestbook").symlink_to("/bin/true")
    (directory / "secrets").write_text("PASSWORD=secret\n")
    configuration = block.replace("/srv/guestbook", str(directory))
    if ROOT:
        configuration = configuration.replace("user: guestbook", f"user: {WORKER_USER}")
    else:
        configuration = re.sub(r" +(group|user): .*\n", "", configuration)
    viaductd.file.write_text(configuration)
    result = viaductd.check()
    assert result.returncode == 0, result.stderr


def test_nginx_lines_are_those_of_the_site_file():
    (block,) = re.findall(r"```nginx\n(.*?)```", README, re.DOTALL)
    site = " ".join((SOURCE / "conf/nginx/viaduct.conf").read_text().split())
    for statement in re.findall(r"[\w:/. ]+;", block):
        assert statement.strip() in site, statement


UNIT = (SOURCE / "contrib/systemd/viaductd.service").read_text()


def test_unit_starts_what_was_installed():
    assert BLOCKS["systemd"].split()[-1] == "viaductd"
    assert "ExecStart=/usr/sbin/viaductd --config /etc/viaduct/viaduct.yaml\n" in UNIT
    assert "--prefix /usr\n" in BLOCKS["install"]


def test_what_applications_may_write_is_what_the_unit_says():
    (section,) = re.findall(r"### What applications may write\n(.*?)\n###", README, re.DOTALL)
    lines = UNIT.splitlines()
    settings = re.findall(r"`([A-Z]\w+=\w[\w-]*)`", section)
    assert len(settings) >= 6
    assert [setting for setting in settings if setting not in lines] == []
    writable = set(re.findall(r"^\| (.*?) \| writable", section, re.MULTILINE)[0].split(", "))
    assert writable == {"`/var/lib/viaduct`", "`/var/log/viaduct`"}
    assert BLOCKS["data"].split()[-1].startswith("/var/lib/viaduct/")
    of_users = (SOURCE / "contrib/systemd/viaductd@.service").read_text().splitlines()
    for path, setting in (("lib", "StateDirectory"), ("log", "LogsDirectory")):
        assert f"`/var/{path}/viaduct-shop`" in section and f"{setting}=viaduct-%i" in of_users
    example = (SOURCE / "conf/viaduct.yaml").read_text()
    (database,) = re.findall(r"DATABASE: (\S+)}", example)
    assert database.startswith("/var/lib/viaduct/")


@pytest.mark.parametrize("link", re.findall(r"\]\(([\w./]+)\)", README))
def test_links_lead_somewhere(link):
    assert (SOURCE / link).exists()


def test_tree_is_the_tree():
    (tree,) = re.findall(r"```tree\n(.*?)```", README, re.DOTALL)
    named = {line.split()[0] for line in tree.splitlines()}
    for name in named:
        assert (SOURCE / name).is_dir(), name
    folders = {path.name + "/" for path in SOURCE.iterdir() if path.is_dir()}
    assert {f for f in folders if not f.startswith(".")} - {"build/", "cmake/"} <= named


@pytest.mark.parametrize("command", ["contrib/quickstart", "tests/run", "tests/bench/run", "tests/fuzz/run"])
def test_commands_exist(command):
    assert command in README
    assert os.access(SOURCE / command, os.X_OK)
