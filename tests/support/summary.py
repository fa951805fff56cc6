#!/usr/bin/python3
"""Adds up a directory of results and prints what failed and why, then one line: N passed, N failed.

    NAME.xml      a JUnit file by ctest
    NAME/*.xml    JUnit files by pytest; each replaces the one ctest test that ran it
    fuzz.log      what tests/fuzz/run printed
    broken        one line for each step that failed outside any test

Exit status 0 only when something passed and nothing failed.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


# The last lines of what a failed test printed.
SHOWN_LINES = 60


# How ctest says that a test skipped itself. One that could not be run at all is "skipped", too.
SKIPPED_ITSELF = ("SKIP_RETURN_CODE", "SKIP_REGULAR_EXPRESSION", "Disabled")


def cases(file: Path, by_ctest: bool = False):
    """(name, passed, what it printed) of each case; passed is None for skipped ones."""
    try:
        root = ElementTree.parse(file).getroot()
    except (OSError, ElementTree.ParseError) as error:
        yield f"{file.name}: {error}", False, ""
        return
    for case in root.iter("testcase"):
        name = f"{case.get('classname') or ''} {case.get('name')}".strip()
        skipped = case.find("skipped")
        reason = skipped.get("message", "") if skipped is not None else ""
        if by_ctest and skipped is not None and not reason.startswith(SKIPPED_ITSELF):
            yield name, False, f"not run: {reason}"
        elif skipped is not None or case.get("status") in ("disabled", "notrun"):
            yield name, None, ""
        else:
            failed = case.find("failure") is not None or case.find("error") is not None
            texts = [part.text for part in case if part.tag != "properties" and part.text]
            yield name, not failed and case.get("status") != "fail", "\n".join(texts)


def gather(directory: Path):
    for file in sorted(directory.glob("*.xml")):
        pytest_files = {inner.stem: inner for inner in (directory / file.stem).glob("*.xml")}
        for name, passed, text in cases(file, by_ctest=True):
            single = name.split()[-1]
            if single in pytest_files:
                inner = [(f"{file.stem}: {n}", p, t) for n, p, t in cases(pytest_files[single])]
                yield from inner
                # pytest may also fail outside its cases, for instance while collecting.
                if passed is False and all(result is not False for _, result, _ in inner):
                    yield f"{file.stem}: {single}", False, text
            else:
                yield f"{file.stem}: {single}", passed, text
    fuzzers = directory / "fuzz.log"
    if fuzzers.exists():
        for target, result in re.findall(r"^(\w+): (ok|FAILED)", fuzzers.read_text(), re.MULTILINE):
            yield f"fuzz: {target}", result == "ok", ""
    broken = directory / "broken"
    if broken.exists():
        yield from ((line, False, "") for line in broken.read_text().splitlines())


def main() -> int:
    results = list(gather(Path(sys.argv[1])))
    failed = [(name, text) for name, passed, text in results if passed is False]
    passed = sum(1 for _, result, _ in results if result)
    skipped = sum(1 for _, result, _ in results if result is None)
    for name in sorted({name for name, passed, _ in results if passed is None}):
        print(f"skipped: {name}")
    for name, text in failed:
        if not text:
            continue
        lines = text.splitlines()[-SHOWN_LINES:]
        print(f"\n-- {name} printed at last:", *lines, sep="\n    ")
    for name, _ in failed:
        print(f"failed: {name}")
    print(f"{passed} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
