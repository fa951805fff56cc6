"""The example notes in a real browser: what people do on its pages, and what these show."""

import os
import pwd

import pytest

from harness.browser import Browser, Driver
from harness.direct import App
from harness.paths import ROOT, built
from harness.viaductd import WORKER_USER

NAME = '//label[contains(., "Your name")]/input'
TITLE = '//label[contains(., "Title")]/input'
TEXT = '//label[contains(., "Text")]/textarea'
FILES = '//label[contains(., "Files")]/input'
SEARCH = '//input[@type="search"]'


def button(text: str) -> str:
    return f'//button[normalize-space()="{text}"]'


def link(text: str) -> str:
    return f'//a[normalize-space()="{text}"]'


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    if Driver.missing():
        pytest.fail(f"missing: {Driver.missing()}; tests/run installs what the tests need")
    made = Driver(tmp_path_factory.mktemp("driver") / "chromedriver")
    yield made.start()
    made.stop()


@pytest.fixture
def open_browser(driver, tmp_path, logs, stopping):
    """open_browser("ada"): a browser of that person, who has never been here."""
    logs.append(driver)

    def start(name: str) -> Browser:
        browser = Browser(driver, tmp_path / name)
        stopping.append(browser)
        return browser

    return start


def alone(directory, request) -> int:
    """The port of the application's own HTTP."""
    app = App(
        [built("notes"), "--http", "tcp:127.0.0.1:0"],
        directory / "notes.log",
        env={**os.environ, "NOTES_DATABASE": str(directory / "notes.db")},
    )
    request.getfixturevalue("stopping").append(app)
    request.getfixturevalue("logs").append(app)
    return app.wait_for_port()


def behind_nginx(directory, request) -> int:
    """The port of nginx in front of viaductd, which runs two workers on fibers."""
    viaductd = request.getfixturevalue("viaductd")
    kept = directory / "kept"
    kept.mkdir()
    if ROOT:
        os.chown(kept, *user_of(WORKER_USER))
    viaductd.command(
        str(viaductd.stage.put(built("notes"))),
        workers=2,
        concurrency={"model": "fibers", "limit": 100},
        env={"NOTES_DATABASE": str(kept / "notes.db"), "NOTES_KEY": "k" * 32},
    )
    viaductd.start()
    return request.getfixturevalue("start_front")("nginx", viaductd.socket).port


def user_of(name: str) -> tuple[int, int]:
    entry = pwd.getpwnam(name)
    return entry.pw_uid, entry.pw_gid


@pytest.fixture(params=[alone, behind_nginx], ids=lambda way: way.__name__)
def site(request, directory) -> str:
    return f"http://localhost:{request.param(directory, request)}/"


def say_name(browser: Browser, site: str, name: str) -> None:
    browser.open(site)
    browser.type(NAME, name)
    browser.click(button("Write notes"))
    browser.shows(f"You are {name}.")


def write(browser: Browser, title: str, text: str, file: str = "") -> None:
    browser.type(TITLE, title)
    browser.type(TEXT, text)
    if file:
        browser.type(FILES, file)
    browser.click(button("Save"))
    browser.shows("Saved.")


def test_a_note_from_its_first_word_to_its_end(site, open_browser):
    ada = open_browser("ada")
    ada.open(site)
    assert "No notes." in ada.text() and not ada.has(TITLE)
    say_name(ada, site, "Ada")

    write(ada, "Shopping", "milk & <bread>\n\"two\" loaves, 100% rye")
    assert ada.title() == "Shopping"
    assert "by Ada" in ada.text()
    assert 'milk & <bread>\n"two" loaves, 100% rye' in ada.text()
    ada.click(link("All notes"))
    assert "Saved." not in ada.shows("Shopping by Ada")
    write(ada, "Reading", "a book")

    ada.clear(TITLE)
    ada.type(TITLE, "Reading list")
    ada.type(TEXT, " and another")
    ada.click(button("Save"))
    assert "a book and another" in ada.shows("Changed.")
    assert ada.title() == "Reading list"

    ada.click(link("All notes"))
    ada.shows("Shopping by Ada")
    ada.type(SEARCH, "100%")
    ada.click(button("Search"))
    ada.shows("Shopping by Ada", without="Reading")
    ada.clear(SEARCH)
    ada.type(SEARCH, "another")
    ada.click(button("Search"))
    ada.shows("Reading list by Ada", without="Shopping")

    ada.click(link("Reading list"))
    ada.click(button("Delete"))
    assert "Shopping by Ada" in ada.shows("Deleted.", without="Reading list")


def test_an_attached_file_comes_back_as_it_was(site, open_browser, tmp_path):
    content = bytes(range(256)) * 1000
    (tmp_path / "holiday photo.bin").write_bytes(content)
    ada = open_browser("ada")
    say_name(ada, site, "Ada")
    write(ada, "Holiday", "by the sea", str(tmp_path / "holiday photo.bin"))
    assert "holiday photo.bin" in ada.text()
    ada.click(link("holiday photo.bin"))
    assert ada.downloaded("holiday photo.bin") == content
    assert ada.title() == "Holiday"  # it was saved, not shown


def test_what_one_visitor_writes_harms_no_other(site, open_browser):
    mallory = open_browser("mallory")
    say_name(mallory, site, "<b>Mallory</b>")
    evil = "</pre></textarea><script>document.title = 'owned'</script><img src=x onerror=alert(1)>"
    write(mallory, "<script>alert(1)</script>", evil)
    assert evil in mallory.text() and mallory.title() == "<script>alert(1)</script>"

    ada = open_browser("ada")
    ada.open(site)
    ada.shows("<script>alert(1)</script> by <b>Mallory</b>")
    ada.click(link("<script>alert(1)</script>"))
    ada.shows(evil)
    assert not ada.has("//script | //img | //b")
    assert not ada.has(button("Save")) and not ada.has(button("Delete"))


def test_a_visitor_is_remembered_until_they_say_otherwise(site, open_browser):
    ada = open_browser("ada")
    say_name(ada, site, "Ada")
    ada.open(site)
    ada.shows("You are Ada.")
    ada.click(button("Forget me"))
    ada.shows("Your name")
    assert not ada.has(TITLE)


def test_what_is_missing_is_said(site, open_browser):
    ada = open_browser("ada")
    ada.open(site + "notes/7")
    assert "There is no such note." in ada.text() and ada.title() == "Error 404"
    ada.click(link("All notes"))
    ada.shows("No notes.")
