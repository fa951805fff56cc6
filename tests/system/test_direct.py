"""An SDK application without viaductd: behind each web server as that starts or reaches it, as a
CGI program, and on its own."""

import os
import pty
import shutil
import signal
import socket
import subprocess

import pytest

from harness import http
from harness.apps import command
from harness.direct import App, ModuleApache, PassingNginx, SpawningLighttpd, cgi_environment
from harness.paths import built
from harness.process import children, memory, wait_for
from harness.site import check_site


@pytest.fixture
def probe(stage):
    return command("sdk", stage)[0]


@pytest.fixture
def start(directory, stopping, logs):
    """start(front or app): started where it has to be, shown and stopped."""

    def begin(thing):
        logs.append(thing)
        stopping.append(thing)
        return thing.start() if hasattr(thing, "start") else thing

    return begin


def need(program: str) -> str:
    found = shutil.which(program, path="/usr/bin:/usr/sbin:/bin:/sbin")
    if found is None:
        pytest.fail(f"{program} is not installed; tests/run installs what the tests need")
    return found


@pytest.mark.parametrize("model", ["threads", "fibers"])
@pytest.mark.parametrize("word", ["fastcgi", "scgi", "uwsgi", "http"])
def test_nginx_passes_to_the_application(probe, start, directory, word, model):
    path = directory / "app.sock"
    app = App([probe, f"--{word}", f"unix:{path}", "--model", model], directory / "app.log")
    start(app).wait_for_socket(path)
    check_site(start(PassingNginx(directory / "nginx", str(path), word)).port)
    assert app.stop() == 0
    assert not path.exists()


def test_apache_passes_uwsgi(probe, start, directory):
    path = directory / "app.sock"
    start(App([probe, "--uwsgi", f"unix:{path}"], directory / "app.log")).wait_for_socket(path)
    lines = f'ProxyPass "/" "unix:{path}|uwsgi://localhost/"\n'
    front = start(ModuleApache(directory / "apache", ["proxy_uwsgi"], lines))
    check_site(front.port, chunked=False)  # mod_proxy_uwsgi answers 411


def test_spawn_fcgi(probe, start, directory):
    path = directory / "app.sock"
    spawn = [need("spawn-fcgi"), "-n", "-s", path, "-M", "0666", "--", probe]
    app = start(App(spawn, directory / "app.log")).wait_for_socket(path)
    check_site(start(PassingNginx(directory / "nginx", str(path), "fastcgi")).port)
    assert app.stop() == 0


def test_multiwatch_under_spawn_fcgi(probe, start, directory):
    path = directory / "app.sock"
    watch = [need("multiwatch"), "-f", "3", "--signal", "TERM", "--", probe]
    spawn = [need("spawn-fcgi"), "-n", "-s", path, "-M", "0666", "--", *watch]
    app = start(App(spawn, directory / "app.log")).wait_for_socket(path)
    wait_for(lambda: len(children(app.process.pid)) == 3, "three processes")
    front = start(PassingNginx(directory / "nginx", str(path), "fastcgi"))
    check_site(front.port)
    served = int(http.request(front.port, "/pid").text)
    assert served in children(app.process.pid)


def fcgid(directory, program) -> str:
    """Configuration that mounts a program at /app."""
    if not ModuleApache.has("fcgid"):
        pytest.fail("mod_fcgid is not installed; tests/run installs what the tests need")
    sockets = directory / "sockets"  # of Apache's processes, which may run as somebody else
    sockets.mkdir()
    sockets.chmod(0o777)
    return f"""Alias "/app" "{program}"
FcgidIPCDir {sockets}
FcgidProcessTableFile {directory}/apache/fcgid.table
FcgidMaxRequestLen 10000000
<Location "/app">
  SetHandler fcgid-script
  Options +ExecCGI
</Location>
"""


def cgid(directory, program) -> str:
    """The same as a CGI program."""
    return f'ScriptSock {directory}/apache/cgid.sock\nScriptAlias "/app" "{program}"\n'


@pytest.mark.parametrize("way", [fcgid, cgid])
def test_apache_starts_it(probe, start, directory, way):
    lines = way(directory, probe)
    modules = ["alias", way.__name__]
    check_site(start(ModuleApache(directory / "apache", modules, lines)).port, "/app")


@pytest.mark.parametrize("way", [fcgid, cgid])
def test_apache_is_asked_for_the_mount_itself(stage, start, directory, way):
    lines = way(directory, stage.put(built("hello")))
    front = start(ModuleApache(directory / "apache", ["alias", way.__name__], lines))
    for target in ("/app", "/app/"):
        assert http.request(front.port, target).text == "Hello, world\n"


def test_lighttpd_starts_it(probe, start, directory):
    check_site(start(SpawningLighttpd(directory / "lighttpd", probe)).port)


def test_systemd_socket_activation(probe, start, directory):
    path = directory / "app.sock"
    activate = [need("systemd-socket-activate"), f"--listen={path}", probe]
    app = start(App(activate, directory / "app.log")).wait_for_socket(path)
    path.chmod(0o666)  # it creates it for its own user whatever the umask
    check_site(start(PassingNginx(directory / "nginx", str(path), "fastcgi")).port)
    assert app.stop() == 0


def run_cgi(probe, body: bytes = b"", **variables: str) -> subprocess.CompletedProcess:
    environment = cgi_environment(SCRIPT_NAME="/app", **variables)
    return subprocess.run([probe], input=body, capture_output=True, env=environment, timeout=60)


def test_cgi_body_is_as_long_as_said(probe):
    told = {"REQUEST_METHOD": "POST", "PATH_INFO": "/digest"}
    done = run_cgi(probe, b"12345", CONTENT_LENGTH="3", **told)
    assert done.returncode == 0 and b"\r\n\r\n3 " in done.stdout
    done = run_cgi(probe, b"12345", **told)
    assert done.returncode == 0 and b"\r\n\r\n0 " in done.stdout
    done = run_cgi(probe, b"12345", HTTP_TRANSFER_ENCODING="chunked", **told)
    assert done.returncode == 0 and b"\r\n\r\n5 " in done.stdout


def test_cgi_body_that_is_cut_short_is_not_answered(probe):
    done = run_cgi(probe, b"12", REQUEST_METHOD="POST", PATH_INFO="/digest", CONTENT_LENGTH="3")
    assert (done.returncode, done.stdout) == (70, b"")
    assert b"the request was not answered" in done.stderr


@pytest.fixture(params=["threads", "fibers"])
def alone(request, probe, start, directory):
    """The application on its own HTTP port: the process and the port."""
    command_line = [probe, "--http", "tcp:127.0.0.1:0", "--model", request.param]
    environment = {**os.environ, "MARKS": str(directory)}
    app = start(App(command_line, directory / "app.log", env=environment))
    return app, app.wait_for_port()


def test_http_on_its_own(alone):
    _, port = alone
    check_site(port)
    seen = http.request(port, "/env").variables()
    assert (seen["REMOTE_ADDR"], seen["SERVER_PORT"]) == ("127.0.0.1", str(port))
    assert http.request(port, "/hello").get("Date").endswith(" GMT")


def test_http_keeps_the_connection_and_answers_in_turn(alone):
    _, port = alone
    with http.Connection(port) as client:
        head = "GET /{} HTTP/1.1\r\nHost: h\r\n\r\n"
        client.send("".join(head.format(t) for t in ("sleep?ms=50", "hello", "nowhere")).encode())
        assert client.read_reply().text == "slept\n"
        assert client.read_reply().text == "hello\n"
        assert client.read_reply().status == 404
        client.send_head("POST", "/early", [("Content-Length", "20000")])
        for piece in http.pattern(20000):
            client.send(piece)
        assert client.read_reply().text == "early\n"
        client.send_head("GET", "/hello")
        assert client.read_reply().text == "hello\n"


@pytest.mark.parametrize("behind", [b"", b"GET /hello HTTP/1.1\r\nHost: h\r\n\r\n"])
def test_handlers_stop_when_the_http_client_leaves(alone, directory, behind):
    _, port = alone
    with http.Connection(port) as client:
        client.send(b"GET /wait?mark=left HTTP/1.1\r\nHost: h\r\n\r\n" + behind)
        wait_for((directory / "left").exists, "the handler waits")
    wait_for((directory / "left.stopped").exists, "the handler has stopped")


def test_slow_reader_of_http_holds_the_handler_back(alone):
    app, port = alone
    size = 24 << 20
    with http.Connection(port, receive_buffer=4096) as client:
        client.send_head("GET", f"/generate?bytes={size}&length=0")
        reply = client.read_head()
        assert http.request(port, "/hello").text == "hello\n"
        assert memory(app.process.pid) < size // 2
        assert sum(map(len, client.body_pieces(reply))) == size


def test_http_refuses_what_could_be_read_in_two_ways(alone):
    _, port = alone
    with http.Connection(port) as client:
        client.send(
            b"POST /digest HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hello HTTP/1.1\r\nHost: h\r\n\r\n"
        )
        reply = client.read_reply()
        assert (reply.status, reply.get("Connection")) == (400, "close")
        with pytest.raises(http.Broken):
            client.read_reply()


def test_curl_speaks_to_it(alone, directory):
    _, port = alone
    url = f"http://127.0.0.1:{port}"
    body = directory / "body"
    body.write_bytes(b"".join(http.pattern(2_000_000)))
    digest = f"2000000 {http.pattern_sha256(2_000_000)}\n"

    def curl(*arguments) -> subprocess.CompletedProcess:
        words = [need("curl"), "--silent", "--show-error", "--verbose", *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)

    twice = curl(f"{url}/hello", f"{url}/hello")
    assert twice.stdout == "hello\nhello\n" and "Re-using existing connection" in twice.stderr
    asked = curl("-H", "Expect: 100-continue", "--data-binary", f"@{body}", f"{url}/digest")
    assert asked.stdout == digest and "100 Continue" in asked.stderr
    chunked = curl("-X", "POST", "-H", "Transfer-Encoding: chunked", "-T", body, f"{url}/digest")
    assert chunked.stdout == digest
    assert curl("--http1.0", f"{url}/hello").stdout == "hello\n"


def test_development_http_on_a_terminal(probe, start, directory):
    ours, theirs = pty.openpty()
    with open(directory / "app.log", "ab") as log:
        child = subprocess.Popen([probe], stdin=theirs, stdout=log, stderr=log)
    try:
        text = (directory / "app.log").read_text
        wait_for(lambda: "8080" in text(), "it says where it serves")
        if "Address already in use" in text():
            assert "tcp:127.0.0.1:8080" in text() and child.wait(30) == 64
            return
        assert "serving http://127.0.0.1:8080/ for development" in text()
        assert http.request(8080, "/hello").text == "hello\n"
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    finally:
        child.kill()
        child.wait()
        for end in (ours, theirs):
            os.close(end)


@pytest.mark.parametrize("word", ["fastcgi", "scgi", "uwsgi", "http"])
def test_sigterm_ends_it_while_idle(probe, start, directory, word):
    path = directory / "app.sock"
    app = App([probe, f"--{word}", f"unix:{path}"], directory / "app.log")
    start(app).wait_for_socket(path)
    with socket.socket(socket.AF_UNIX) as idle:
        idle.connect(str(path))
        app.process.send(signal.SIGTERM)
        assert app.process.wait() == 0
    assert not path.exists()


def test_sigterm_lets_a_request_end(alone):
    app, port = alone
    with http.Connection(port) as idle, http.Connection(port) as client:
        idle.send_head("GET", "/hello")
        assert idle.read_reply().text == "hello\n"
        client.send(
            b"POST /digest HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        )
        # The handler is reading.
        wait_for(lambda: client.socket.recv(25, socket.MSG_PEEK), "100 Continue")
        app.process.send(signal.SIGTERM)
        with pytest.raises(http.Broken):
            idle.read_reply()
        client.send(b"abc")
        reply = client.read_reply()
        assert (reply.status, reply.get("Connection")) == (200, "close")
        assert reply.text.startswith("3 ")
        assert app.process.wait() == 0
