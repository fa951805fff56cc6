"""The example gate: Apache's mod_authnz_fcgi and lighttpd ask it who may come in."""

import base64
import subprocess

import pytest

from harness import fronts, http
from harness.paths import built
from harness.ports import reserve_port
from harness.process import Process, wait_for

APACHE = """
ServerName localhost
Listen 127.0.0.1:{port}
PidFile apache.pid
ErrorLog error.log
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authn_core_module /usr/lib/apache2/modules/mod_authn_core.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule authz_user_module /usr/lib/apache2/modules/mod_authz_user.so
LoadModule auth_basic_module /usr/lib/apache2/modules/mod_auth_basic.so
LoadModule authnz_fcgi_module /usr/lib/apache2/modules/mod_authnz_fcgi.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
User {user}
AuthnzFcgiDefineProvider authn gate fcgi://127.0.0.1:{gate}/
DocumentRoot {site}
<Directory {site}>
  AuthType Basic
  AuthName gate
  AuthBasicProvider gate
  Require valid-user
  Header set X-Gate-User "%{{GATE_USER}}e"
</Directory>
"""

LIGHTTPD = """
server.port = {port}
server.bind = "127.0.0.1"
server.document-root = "{site}"
server.modules = ("mod_fastcgi")
server.errorlog = "error.log"
mimetype.assign = (".txt" => "text/plain")
fastcgi.server = ("/" => ((
  "host" => "127.0.0.1", "port" => {gate},
  "mode" => "authorizer", "docroot" => "{site}", "check-local" => "disable"
)))
"""


class Guarded(fronts.Front):
    """A front server of static files that asks the gate on that port."""

    def __init__(self, directory, gate):
        super().__init__(directory, "")
        self.gate = gate
        self.site = directory / "site"
        self.site.mkdir()
        (self.site / "inside.txt").write_text("inside\n")

    def write(self, port):
        text = self.template.format(port=port, gate=self.gate, site=self.site, user="www-data")
        (self.directory / "front.conf").write_text(text)


class GuardedApache(Guarded):
    name, program, template = "apache", "apache2", APACHE

    def command(self):
        return [self.executable(), "-d", self.directory, "-f", "front.conf", "-D", "FOREGROUND"]


class GuardedLighttpd(Guarded):
    name, program, template = "lighttpd", "lighttpd", LIGHTTPD

    def command(self):
        return [self.executable(), "-D", "-f", "front.conf"]


@pytest.fixture
def gate(directory, stopping, logs):
    """The port of a gate that knows ada."""
    made = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input="open:sesame\n", text=True, check=True, capture_output=True
    )
    users = directory / "gate.users"
    users.write_text(f"ada:{made.stdout.strip()}\n")
    port = reserve_port()
    program = built("examples/gate")
    process = Process([program, "--fastcgi", f"tcp:127.0.0.1:{port}", "--users", users], directory / "gate.log")
    stopping.append(process)
    logs.append(process)
    wait_for(lambda: fronts.Front.listens(port) or not process.running(), "the gate listens")
    assert process.running(), process.text()
    return port


@pytest.fixture(params=[GuardedApache, GuardedLighttpd], ids=["apache", "lighttpd"])
def front(request, directory, gate, stopping, logs):
    made = request.param(directory / "front", gate)
    logs.append(made)
    stopping.append(made)
    return made.start()


def ask(front, credentials=None, path="/inside.txt"):
    headers = []
    if credentials is not None:
        headers.append(("Authorization", "Basic " + base64.b64encode(credentials.encode()).decode()))
    return http.request(front.port, path, headers=headers)


def test_who_has_the_password_comes_in(front):
    reply = ask(front, "ada:open:sesame")
    assert (reply.status, reply.text) == (200, "inside\n")
    if front.name == "apache":
        assert reply.get("X-Gate-User") == "ada"
    assert ask(front, "ada:open:sesame", "/missing.txt").status == 404


@pytest.mark.parametrize("credentials", [None, "ada:closed", "ada:", "eve:open:sesame", ":", "ada"])
def test_others_stay_outside(front, credentials):
    reply = ask(front, credentials)
    assert reply.status == 401
    assert reply.get("WWW-Authenticate").startswith("Basic realm=\"gate\"")
    assert "inside" not in reply.text


def test_a_gate_that_is_gone_lets_nobody_in(directory, stopping, logs):
    for kind in (GuardedApache, GuardedLighttpd):
        front = kind(directory / kind.name, reserve_port())
        logs.append(front)
        stopping.append(front)
        front.start()
        assert ask(front, "ada:open:sesame").status in (401, 403, 500, 503)


def test_a_gate_without_users_does_not_start(directory):
    users = directory / "gate.users"
    program = built("examples/gate")
    for text, complaint in (("", "no users"), ("ada\n", f"{users}:1: not name:hash")):
        users.write_text(text)
        command = [program, "--fastcgi", f"unix:{directory}/gate.sock", "--users", users]
        ended = subprocess.run(command, text=True, capture_output=True, timeout=30, check=False)
        assert ended.returncode == 70
        assert complaint in ended.stderr
