"""Logs: reopened, as JSON, one access line a request."""

import json
import signal

from harness import fastcgi
from harness.process import wait_for


def test_usr1_reopens_the_log(viaductd):
    target = viaductd.directory / "daemon.log"
    viaductd.settings["log"] = {"to": str(target)}
    viaductd.app("sdk")
    viaductd.start()
    wait_for(lambda: target.exists() and target.read_text(), "something is logged")
    target.rename(viaductd.directory / "daemon.log.1")
    viaductd.process.send(signal.SIGUSR1)
    wait_for(target.exists, "the log is reopened")
    assert fastcgi.request(viaductd.socket, "/stderr?text=after").status == 200
    wait_for(lambda: "after of the process" in target.read_text(), "new lines go to the new file")


def test_json_log_is_one_object_a_line(viaductd):
    viaductd.settings["log"] = {"format": "json"}
    # For which there are descriptors anywhere: what the check of a configuration says is no line of the log.
    viaductd.settings["limits"] = {"connections": 100}
    viaductd.app("sdk")
    viaductd.start()
    assert fastcgi.request(viaductd.socket, "/stderr?text=marked").status == 200
    viaductd.logged("marked of the process")
    for line in viaductd.lines():
        json.loads(line)


def test_access_log_on_standard_error(viaductd):
    viaductd.settings["access_log"] = {"to": "stderr"}
    viaductd.app("sdk")
    viaductd.start()
    assert fastcgi.request(viaductd.socket, "/hello?x=1").status == 200
    line = viaductd.logged("/hello?x=1")
    assert json.loads(line)["status"] == 200


def test_access_log_has_a_line_per_request(viaductd):
    target = viaductd.directory / "access.log"
    viaductd.settings["access_log"] = {"to": str(target)}
    viaductd.app("sdk")
    viaductd.start()
    assert fastcgi.request(viaductd.socket, "/hello?x=1").status == 200
    assert fastcgi.request(viaductd.socket, "/status?code=404").status == 404
    wait_for(lambda: target.exists() and target.read_text().count("\n") >= 2, "two lines")
    first, second = (json.loads(line) for line in target.read_text().splitlines())
    assert "/hello?x=1" in json.dumps(first)
    assert "404" in json.dumps(second)
