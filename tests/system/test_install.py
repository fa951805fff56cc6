"""`cmake --install`: everything that the documentation, the units and conf/minimal.yaml name is there, and
viaductd accepts the configuration that was installed. And the packages of a host that runs it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from harness.paths import BUILD, ROOT, SOURCE, Stage
from harness.process import PATIENCE

DOC = "share/doc/viaduct"
UNITS = ["viaductd.service", "viaductd@.service", "viaductd.socket"]


def install(prefix: str, destdir: str = "") -> None:
    subprocess.run(
        ["cmake", "--install", BUILD, "--prefix", prefix],
        check=True,
        capture_output=True,
        env={**os.environ, "DESTDIR": destdir},
    )


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    """The root directory of what a package for the prefix /usr would hold."""
    made = tmp_path_factory.mktemp("image")
    install("/usr", str(made))
    return made


@pytest.fixture(scope="module")
def prefix():
    """An installation at a prefix of its own, readable for the users that the configuration names."""
    made = Stage()
    install(str(made.path))
    yield made.path
    made.remove()


RELEASE = "CMAKE_BUILD_TYPE:STRING=Release" in (BUILD / "CMakeCache.txt").read_text()


@pytest.mark.skipif(not RELEASE, reason="about the release build")
def test_no_program_names_the_directory_it_was_built_in(image):
    """Traces name files of the source tree by the debugging information, which has relative paths."""
    programs = [
        path
        for path in image.rglob("*")
        if path.is_file() and path.read_bytes()[:8].startswith((b"\x7fELF", b"!<arch>\n"))
    ]
    assert len(programs) >= 4
    here = f"{SOURCE}/".encode()
    assert [str(path) for path in programs if here in path.read_bytes()] == []


def named(text: str) -> set[str]:
    """The paths of viaduct's own below /usr in the text."""
    return set(re.findall(r"/usr/(?:s?bin|lib|share/doc)/viaduct[\w/.-]*\b", text))


def test_only_the_prefix_is_written_to(image):
    assert [path.name for path in image.iterdir()] == ["usr"]


def test_units_are_where_systemd_looks(image):
    folder = image / "usr/lib/systemd/system"
    assert {path.name for path in folder.iterdir()} == set(UNITS)
    for unit in UNITS:
        assert (folder / unit).read_text() == (SOURCE / "contrib/systemd" / unit).read_text()
    assert (image / "usr/lib/sysusers.d/viaduct.conf").exists()


def test_every_path_that_is_named_is_there(image):
    doc = image / "usr" / DOC
    files = [doc / "README.md", doc / "sdk/README.md", doc / "conf/minimal.yaml"]
    files += [image / "usr/lib/systemd/system" / unit for unit in UNITS]
    paths = set().union(*(named(file.read_text()) for file in files))
    assert {"/usr/sbin/viaductd", "/usr/lib/viaduct/examples/hello", f"/usr/{DOC}/README.md"} <= paths
    assert [path for path in paths if not (image / path[1:]).exists()] == []


def prose(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def test_links_of_installed_pages_lead_somewhere(image):
    pages = list((image / "usr" / DOC).rglob("*.md"))
    assert len(pages) >= 8
    links = 0
    for page in pages:
        for link in re.findall(r"\]\(([\w./@-]+)(?:#[\w-]+)?\)", prose(page.read_text())):
            assert (page.parent / link).exists(), f"{page}: {link}"
            links += 1
    assert links > 20


def test_every_site_and_example_is_there(image):
    def files(directory: Path) -> dict[str, str]:
        return {str(f.relative_to(directory)): f.read_text() for f in directory.rglob("*") if f.is_file()}

    assert files(image / "usr" / DOC / "conf") == files(SOURCE / "conf")


def test_units_and_example_name_the_prefix(prefix):
    for unit in UNITS[:2]:
        text = (prefix / "lib/systemd/system" / unit).read_text()
        assert f"ExecStart={prefix}/sbin/viaductd " in text
        assert f"ExecReload={prefix}/bin/viaduct " in text
        assert f"Documentation=file://{prefix}/{DOC}/README.md" in text
        assert not named(text)
    assert f"command: [{prefix}/lib/viaduct/examples/hello]" in (prefix / DOC / "conf/minimal.yaml").read_text()


def test_viaductd_accepts_the_installed_configuration(prefix, directory):
    file = prefix / DOC / "conf/minimal.yaml"
    if not ROOT:  # cannot become the users that it names
        adapted = directory / "minimal.yaml"
        adapted.write_text(re.sub(r" +(group|user): .*\n", "", file.read_text()))
        file = adapted
    command = [prefix / "sbin/viaductd", "--check", "--config", file]
    good = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert good.returncode == 0, good.stderr
    (prefix / "lib/viaduct/examples/hello").rename(directory / "hello")
    try:
        bad = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    finally:
        (directory / "hello").rename(prefix / "lib/viaduct/examples/hello")
    assert bad.returncode == 78
    assert f"{prefix}/lib/viaduct/examples/hello" in bad.stderr


# contrib/install-packages


def packages(*words: str) -> set[str]:
    command = [SOURCE / "contrib/install-packages", "--list", *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def owners(program: Path) -> set[str]:
    """The packages with the libraries that the program itself is linked with."""
    dynamic = subprocess.run(
        ["readelf", "--wide", "--dynamic", program], check=True, capture_output=True, text=True
    ).stdout
    found = set()
    for library in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
        answer = subprocess.run(["dpkg-query", "-S", f"*/{library}"], capture_output=True, text=True)
        assert answer.returncode == 0, f"no package has {library}"
        # Compilers and debuggers bring links and copies in directories of their own.
        place = r"(?:/usr)?/lib(?:64)?(?:/[\w-]+-linux-gnu\w*)?/" + re.escape(library)
        plain = re.findall(rf"^([\w.+-]+)(?::\w+)?: {place}$", answer.stdout, re.MULTILINE)
        assert plain, f"{library}: {answer.stdout}"
        found.update(plain)
    return found


def test_packages_for_running_are_what_the_programs_are_linked_with(image):
    installed = ["usr/sbin/viaductd", "usr/bin/viaduct", "usr/lib/viaduct/examples/hello"]
    needed = set().union(*(owners(image / program) for program in installed))
    always = {"libc6", "libgcc-s1"}  # of every Debian
    assert needed - always <= packages("run")
    # Sessions of the SDK use OpenSSL: the examples that have none of them are linked without.
    assert packages("run") - needed == {"libssl3"}


def test_running_needs_nothing_for_building():
    run = packages("run")
    assert not run & packages("build")
    assert not [name for name in run if name.endswith("-dev") or name in ("cmake", "g++")]
    assert packages("run", "nginx") == run | {"nginx-light"}


def test_building_is_included_unless_only_running_is_asked_for():
    build = packages()
    assert "g++" in build
    assert packages("build") == build
    assert build < packages("tests")
    assert packages("run", "build") == packages("run") | build


def test_unknown_words_are_refused():
    command = [SOURCE / "contrib/install-packages", "--list", "rum"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (64, "")
    assert "unknown word 'rum'" in done.stderr
