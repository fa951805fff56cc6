"""Reloads of a part: one app, all apps but those that fail, or new workers and nothing else."""

import re
import shutil

import pytest

from harness import fastcgi, scgi
from harness.load import assert_clean
from harness.process import wait_for
from harness.tool import Tool

LAST_WORDS = "no database at db:5432"


@pytest.fixture
def tool(viaductd):
    return Tool(viaductd)


@pytest.fixture
def two(viaductd):
    """`web` behind the FastCGI listener, `blog` behind the one for SCGI."""
    viaductd.app("sdk", env={"STAGE": "1"})
    viaductd.app("sdk", name="blog", env={"STAGE": "1"})
    viaductd.settings["listeners"][1]["app"] = "blog"
    return viaductd.start()


def stage(viaductd, app: str, value: str) -> None:
    viaductd.settings["apps"][app]["env"]["STAGE"] = value
    viaductd.write()


def seen(viaductd, app: str) -> str:
    """What the app's workers have in STAGE."""
    target = "/setting?name=STAGE"
    if app == "web":
        return fastcgi.request(viaductd.socket, target).body.decode().strip()
    return scgi.request(viaductd.scgi, target).body.decode().strip()


def breaks(viaductd, app: str) -> None:
    """From now on it says something and ends, by the file."""
    settings = viaductd.settings["apps"][app]
    settings["command"] = ["/bin/sh", "-c", f"echo starting >&2; echo '{LAST_WORDS}' >&2; exit 3"]
    viaductd.write()


def pids(tool, app: str) -> list[int]:
    """Of the workers that are ready; those of older generations stand behind."""
    (found,) = [one for one in tool.status()["apps"] if one["name"] == app]
    ready = [worker["pid"] for worker in found["workers"] if worker["state"] == "ready"]
    return sorted(ready[: found["wanted"]])


def behind(tool) -> dict[str, str]:
    return {app["name"]: app["behind"] for app in tool.status()["apps"] if app["behind"]}


# ---- all or nothing


def test_reload_is_all_or_nothing_and_says_who_failed_and_its_last_words(two, tool):
    before = pids(tool, "web"), pids(tool, "blog")
    stage(two, "web", "2")
    breaks(two, "blog")
    result = tool.run("reload")
    assert result.status == 1
    assert "reload failed: blog: a worker did not become ready (blog/1: exited with status 3" in result.err
    assert f'it wrote last: "{LAST_WORDS}"' in result.err
    assert "generation 1 goes on" in result.err
    assert (pids(tool, "web"), pids(tool, "blog")) == before
    assert (seen(two, "web"), seen(two, "blog")) == ("1", "1")
    assert behind(tool) == {}


# ---- one app


def test_reload_of_one_app_applies_its_section_and_nothing_else(two, tool, directory):
    blog, generation = pids(tool, "blog"), tool.status()["generations"][-1]["number"]
    stage(two, "web", "2")
    stage(two, "blog", "2")
    two.settings["listeners"][0]["mode"] = "0600"
    two.settings["listeners"].append(
        {"protocol": "fastcgi", "address": f"unix:{directory}/more.sock", "app": "web"}
    )
    two.write()
    done = tool.done("reload", "web")
    assert re.match(rf"generation {generation + 1}: web restarted \(env changed\), blog kept;", done)
    assert (seen(two, "web"), seen(two, "blog")) == ("2", "1")
    assert pids(tool, "blog") == blog
    assert not (directory / "more.sock").exists()
    assert "blog restarted (env changed)" in tool.done("reload")
    assert (directory / "more.sock").exists()


def test_reload_of_one_app_reads_its_env_file_and_looks_at_its_program(two, tool, directory):
    values = directory / "values"
    values.write_text("STAGE=3\n")
    values.chmod(0o644)
    for app in ("web", "blog"):
        two.settings["apps"][app]["env_file"] = [str(values)]
    two.write()
    tool.done("reload")
    assert seen(two, "blog") == "3"
    values.write_text("STAGE=4\n")
    assert "web restarted (env changed), blog kept" in tool.done("reload", "web")
    assert (seen(two, "web"), seen(two, "blog")) == ("4", "3")
    program = two.settings["apps"]["web"]["command"][0]
    shutil.copy2(program, program + ".new")
    shutil.move(program + ".new", program)
    assert "web restarted (binary changed), blog kept" in tool.done("reload", "web")


def test_mistake_in_another_section_does_not_stop_the_reload_of_one_app(two, tool):
    stage(two, "web", "2")
    two.settings["apps"]["blog"]["worker"] = 3
    two.write()
    result = tool.run("reload", "web")
    assert result.status == 0
    assert re.search(r"^warning: .*apps\.blog\.worker: unknown key.* \(not applied by this reload\)$", result.err, re.M)
    assert seen(two, "web") == "2"
    result = tool.run("reload", "blog")
    assert result.status == 78
    assert "apps.blog.worker: unknown key" in result.err


def test_one_app_can_come_with_a_reload_of_its_own_and_not_go(two, tool):
    two.app("sdk", name="wiki")
    two.write()
    result = tool.run("reload", "wiki")
    assert "web kept, blog kept, wiki added" in result.out
    assert "apps.wiki: no listener leads to this app" in result.err
    del two.settings["apps"]["wiki"]
    two.write()
    result = tool.run("reload", "wiki")
    assert result.status == 78
    assert "apps.wiki: not in the file; a reload of all removes it" in result.err
    assert "wiki removed" in tool.done("reload")
    result = tool.run("reload", "wiki")
    assert result.status == 78
    assert "apps.wiki: neither in force nor in the file" in result.err


# ---- all but those that fail


def test_keep_going_applies_the_rest_and_says_both(two, tool):
    blog = pids(tool, "blog")
    stage(two, "web", "2")
    breaks(two, "blog")
    two.settings["apps"]["blog"]["limits"] = {"queue": 7}
    two.write()
    result = tool.run("reload", "--keep-going")
    assert result.status == 1
    assert re.search(r"^viaduct: generation \d+: web restarted \(env changed\), blog failed and stays as it was;",
                     result.err, re.M)
    assert re.search(rf'^blog: a worker did not become ready .*it wrote last: "{LAST_WORDS}"', result.err, re.M)
    assert (seen(two, "web"), seen(two, "blog")) == ("2", "1")
    assert pids(tool, "blog") == blog
    assert list(behind(tool)) == ["blog"] and LAST_WORDS in behind(tool)["blog"]
    assert re.search(r"^blog: behind the configuration file: .*no database", tool.done("status"), re.M)
    # Whatever does not bring the section into force leaves it behind.
    assert tool.run("reload").status == 1
    tool.done("restart", "blog")
    tool.done("reload", "web")
    assert list(behind(tool)) == ["blog"]
    assert seen(two, "blog") == "1"
    two.app("sdk", name="blog", env={"STAGE": "5"})
    two.write()
    assert "web kept, blog restarted (env changed)" in tool.done("reload", "--keep-going")
    assert behind(tool) == {}
    assert seen(two, "blog") == "5"


def test_keep_going_starts_what_succeeds_once(two, tool):
    """The workers that became ready beside the failed ones are those that serve."""
    started = len(two.started("web"))
    stage(two, "web", "2")
    breaks(two, "blog")
    assert tool.run("reload", "--keep-going").status == 1
    assert len(two.started("web")) == started + 1
    assert seen(two, "web") == "2"
    wait_for(lambda: len(two.bridges()) == 1, "one bridge is left")


def test_keep_going_with_mistakes_in_a_section(two, tool):
    stage(two, "web", "2")
    two.settings["apps"]["blog"]["worker"] = 3
    two.write()
    result = tool.run("reload", "--keep-going")
    assert result.status == 1
    assert re.search(r"^\S+:\d+:\d+: apps\.blog\.worker: unknown key", result.err, re.M)
    assert "blog failed and stays as it was" in result.err
    assert (seen(two, "web"), seen(two, "blog")) == ("2", "1")
    assert list(behind(tool)) == ["blog"]
    two.settings["limit"] = {}
    two.write()
    result = tool.run("reload", "--keep-going")
    assert result.status == 78, "an error in no section"
    assert "goes on" in result.err


def test_keep_going_with_an_app_that_is_new(two, tool):
    """Nobody can keep what it was: it comes as at the start of the daemon, and is tried again."""
    gate = two.marks / "go"
    program = two.app("sdk", name="wiki")["command"][0]
    two.settings["apps"]["wiki"]["command"] = ["/bin/sh", "-c", f'[ -e {gate} ] || exit 4; exec "$0"', program]
    stage(two, "web", "2")
    result = tool.run("reload", "--keep-going")
    assert result.status == 1
    assert "web restarted (env changed), blog kept, wiki added and failing" in result.err
    assert "wiki: a worker did not become ready" in result.err
    assert seen(two, "web") == "2"
    assert behind(tool) == {}
    gate.touch()
    wait_for(lambda: pids(tool, "wiki"), "it is tried again")


@pytest.mark.slow
def test_partial_reloads_lose_no_request(two, tool, start_front, start_load):
    good = dict(two.settings["apps"]["blog"])
    front = start_front("nginx", two.socket)
    load = start_load(front.port, concurrency=32, mix="both", least=200)
    for number in range(4):
        stage(two, "web", f"a{number}")
        breaks(two, "blog")
        assert tool.run("reload", "--keep-going").status == 1
        assert seen(two, "web") == f"a{number}"
        two.settings["apps"]["blog"] = {**good, "env": {**good["env"], "STAGE": str(number)}}
        stage(two, "web", f"b{number}")
        tool.done("reload", "web")
        tool.done("restart", "web")
        assert seen(two, "web") == f"b{number}"
        tool.done("reload", "blog")
        assert seen(two, "blog") == str(number)
        assert load.running()
    assert_clean(load.finish())
    wait_for(lambda: len(two.bridges()) == 1, "one bridge is left", 60)


# ---- new workers and nothing else


def test_restart_reads_nothing(two, tool):
    web, blog = pids(tool, "web"), pids(tool, "blog")
    stage(two, "web", "2")
    stage(two, "blog", "2")
    two.file.write_text("no: [configuration")
    assert "web restarted, blog kept" in tool.done("restart", "web")
    assert pids(tool, "blog") == blog and not set(pids(tool, "web")) & set(web)
    assert (seen(two, "web"), seen(two, "blog")) == ("1", "1")


def test_restart_says_that_another_program_waits(two, tool):
    program = two.settings["apps"]["web"]["command"][0]
    shutil.copy2(program, program + ".new")
    shutil.move(program + ".new", program)
    result = tool.run("restart", "web")
    assert result.status == 0
    assert f"{program} has been replaced since the configuration was read; viaduct reload web" in result.err
    assert "web restarted (binary changed)" in tool.done("reload", "web")
    assert tool.run("restart", "web").err == ""


def test_orders_that_come_together_do_not_fail_for_one_another(two, tool):
    breaks(two, "blog")
    orders = [("reload",), ("restart", "web"), ("reload", "blog"), ("reload", "web"), ("reload", "--keep-going")]
    processes = [(words, tool.start(*words)) for words in 2 * orders]
    for words, process in processes:
        out, err = process.communicate(timeout=60)
        good = words in (("restart", "web"), ("reload", "web"))
        assert process.returncode == (0 if good else 1), (words, out, err)
    assert list(behind(tool)) == ["blog"] or behind(tool) == {}
    assert (seen(two, "web"), seen(two, "blog")) == ("1", "1")


# ---- numbers of workers set by hand


def test_scale_that_a_reload_undoes_is_said(two, tool):
    tool.done("scale", "web", "3")
    tool.done("scale", "blog", "2")
    # What does not concern an app does not undo it.
    assert "undone" not in tool.done("restart", "web")
    assert len(pids(tool, "web")) == 3
    assert "blog kept (scale to 2 undone: 1 worker)" in tool.done("reload", "blog")
    assert len(pids(tool, "web")) == 3
    assert "web kept (scale to 3 undone: 1 worker)" in tool.done("reload")
    wait_for(lambda: len(pids(tool, "web")) == 1, "the configuration holds again")
    tool.done("scale", "web", "3")
    stage(two, "web", "2")
    assert "web restarted (env changed; scale to 3 undone: 1 worker)" in tool.done("reload", "web")
    # An app that fails keeps it, too.
    tool.done("scale", "blog", "2")
    breaks(two, "blog")
    assert "undone" not in tool.run("reload", "--keep-going").err
    assert len(pids(tool, "blog")) == 2
