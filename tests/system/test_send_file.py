"""Files that an application answers with: read by the worker, or by the front server it names them to."""

import urllib.parse

import pytest

from harness import fastcgi, fronts, http

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
