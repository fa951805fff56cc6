"""Files that an application answers with: read by the worker, or by the front server it names them to."""

import os
import time
import urllib.parse
from email.utils import parsedate_to_datetime

import pytest

from harness import fastcgi, fronts, http
from harness.apps import command
from harness.direct import App
from harness.ports import reserve_port
from harness.raw_responder import RawResponder
from harness.ways import WAYS

CONTENT = bytes(range(256)) * 2000


class NginxWithFiles(fronts.Nginx):
    """Delivers what X-Accel-Redirect names below `files`."""

    files = None

    def write(self, port):
        super().write(port)
        site = self.directory / "viaduct.conf"
        internal = f"location {self.files}/ {{ internal; root /; }}\n    location / {{"
        site.write_text(fronts.replace(site.read_text(), "location / {", internal))


class LighttpdWithFiles(fronts.Lighttpd):
    """Delivers what X-Sendfile names below `files`."""

    files = None

    def write(self, port):
        super().write(port)
        site = self.directory / "viaduct.conf"
        sendfile = f'"x-sendfile" => "enable", "x-sendfile-docroot" => ("{self.files}"), "check-local"'
        site.write_text(fronts.replace(site.read_text(), '"check-local"', sendfile))


@pytest.fixture
def files(directory):
    made = directory / "files"
    made.mkdir()
    made.chmod(0o755)
    for name in ("plain.txt", "100% \u00e4.txt"):
        (made / name).write_bytes(CONTENT)
    return made


@pytest.mark.parametrize(
    "kind, mode",
    [(NginxWithFiles, "off"), (NginxWithFiles, "x-accel-redirect"), (LighttpdWithFiles, "x-sendfile")],
)
@pytest.mark.parametrize("name", ["plain.txt", "100% \u00e4.txt"])
def test_files_reach_the_client(viaductd, directory, stopping, logs, files, kind, mode, name):
    viaductd.app("sdk", send_file=mode)
    viaductd.start()
    front = kind(directory / "front", viaductd.socket)
    front.files = files
    logs.append(front)
    stopping.append(front)
    front.start()
    target = "/file?path=" + urllib.parse.quote(str(files / name))
    whole = http.request(front.port, target)
    assert whole.status == 200
    assert whole.body == CONTENT
    assert whole.get("Content-Type").startswith("text/plain")
    assert whole.get("X-Accel-Redirect") is None and whole.get("X-Sendfile") is None
    named = fastcgi.request(viaductd.socket, "/file", QUERY_STRING=target.split("?")[1])
    assert len(named.body) == (len(CONTENT) if mode == "off" else 0)
    assert mode == "off" or named.head[mode].endswith(urllib.parse.quote(name))
    part = http.request(front.port, target, headers=[("Range", "bytes=256-511")])
    assert (part.status, part.body) == (206, CONTENT[256:512])
    head = http.request(front.port, target, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert http.request(front.port, target + "missing").status == 404


def date_of(reply, name: str) -> float:
    return parsedate_to_datetime(reply.get(name)).timestamp()


@pytest.mark.parametrize("protocol", ["fastcgi", "scgi", "uwsgi", "http"])
@pytest.mark.parametrize("bridge", [True, False], ids=["bridge", "direct"])
def test_last_modified_is_never_later_than_the_answer(
    viaductd, stage, directory, stopping, logs, files, protocol, bridge
):
    """RFC 9110 section 8.8.2.1: of files of the future, and of answers with a Date of their own."""
    os.utime(files / "plain.txt", (4102444800, 4102444800))  # in the year 2100
    socket = directory / "upstream.sock"
    if bridge:
        viaductd.app("sdk")
        keys = {"protocol": protocol, "address": f"unix:{socket}", "mode": "0666", "app": "web"}
        viaductd.settings["listeners"].append(keys)
        viaductd.start()
    else:
        app = App([command("sdk", stage)[0], f"--{protocol}", f"unix:{socket}"], directory / "app.log")
        logs.append(app)
        stopping.append(app)
        app.wait_for_socket(socket)
    front = WAYS["nginx", protocol](directory / "front", str(socket))
    logs.append(front)
    stopping.append(front)
    front.start()
    target = "/file?path=" + urllib.parse.quote(str(files / "plain.txt"))
    before = int(time.time())
    reply = http.request(front.port, target)
    assert before <= date_of(reply, "Last-Modified") <= date_of(reply, "Date")
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    reply = http.request(front.port, target + "&date=" + urllib.parse.quote(date))
    assert reply.status == 200
    assert reply.get("Last-Modified") == date


@pytest.fixture
def http_port(viaductd):
    """The port of a listener for HTTP, beside one for FastCGI with `send_file: false` and one without."""
    port = reserve_port()
    listeners = viaductd.settings["listeners"]
    listeners[1] = {**listeners[0], "address": f"unix:{viaductd.directory}/without.sock", "send_file": False}
    listeners.append({"protocol": "http", "address": f"tcp:127.0.0.1:{port}", "app": "web"})
    return port


@pytest.mark.parametrize("mode", ["x-accel-redirect", "x-sendfile"])
def test_the_worker_reads_the_file_where_the_front_does_not(viaductd, files, http_port, mode):
    """One app, three listeners: an empty page with a path in it reaches nobody."""
    viaductd.app("sdk", send_file=mode)
    viaductd.start()
    query = "path=" + urllib.parse.quote(str(files / "plain.txt"))
    read = fastcgi.request(f"{viaductd.directory}/without.sock", "/file", QUERY_STRING=query)
    assert (read.status, read.body) == (200, CONTENT)
    reply = http.request(http_port, "/file?" + query)
    assert (reply.status, reply.body, reply.get(mode)) == (200, CONTENT, None)
    part = http.request(http_port, "/file?" + query, headers=[("Range", "bytes=0-9")])
    assert (part.status, part.body) == (206, CONTENT[:10])
    named = fastcgi.request(viaductd.socket, "/file", QUERY_STRING=query)
    assert (named.body, mode in named.head) == (b"", True)


@pytest.mark.parametrize("trusted", [[], ["uid:root"]])
def test_front_servers_have_no_say(viaductd, files, http_port, trusted):
    for listener in viaductd.settings["listeners"][:2]:
        listener["trusted"] = trusted
    viaductd.app("sdk", send_file="x-sendfile")
    viaductd.start()
    query = "path=" + urllib.parse.quote(str(files / "plain.txt"))
    for socket, said, size in (
        (viaductd.socket, "off", 0),
        (f"{viaductd.directory}/without.sock", "x-sendfile", len(CONTENT)),
    ):
        answer = fastcgi.request(socket, "/file", QUERY_STRING=query, VIADUCT_SEND_FILE=said)
        assert (answer.status, len(answer.body)) == (200, size)


def test_other_programs_get_502_and_the_path_stays_here(viaductd, directory, stopping, http_port):
    names = ("X-Accel-Redirect", "X-Sendfile", "X-Sendfile2", "x-lighttpd-send-file")
    names += ("X-Sendfile-Temporary", "X-Reproxy-URL")
    answers = {name: f"{name}: /srv/secret/file\r\n\r\nbody".encode() for name in names}
    stopping.append(RawResponder(directory / "program.sock", {**answers, "plain": b"A: b\r\n\r\nbody"}))
    viaductd.settings["apps"]["web"] = {"connect": [f"unix:{directory}/program.sock"]}
    viaductd.start()
    for name in names:
        reply = http.request(http_port, f"/{name}/")
        assert reply.status == 502
        refused = fastcgi.request(f"{viaductd.directory}/without.sock", f"/{name}/")
        assert refused.status == 502
        shown = repr(reply.headers) + reply.text + repr(refused.head) + repr(refused.body)
        assert "secret" not in shown
        passed = fastcgi.request(viaductd.socket, f"/{name}/")
        assert (passed.status, passed.head[name.lower()]) == (200, "/srv/secret/file")
    assert http.request(http_port, "/plain/").text == "body"
    viaductd.logged("response names a file")
    assert viaductd.text().count("response names a file") == 1
