#!/usr/bin/python3
"""Adds up a directory of results and prints what failed, then one line: N passed, N failed.

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


def cases(file: Path):
    """(name, passed) of each case; None for skipped ones."""
    try:
        root = ElementTree.parse(file).getroot()
    except (OSError, ElementTree.ParseError) as error:
        yield f"{file.name}: {error}", False
        return
    for case in root.iter("testcase"):
        name = f"{case.get('classname') or ''} {case.get('name')}".strip()
        if case.find("skipped") is not None or case.get("status") == "disabled":
            yield name, None
        else:
            failed = case.find("failure") is not None or case.find("error") is not None
            yield name, not failed and case.get("status") != "fail"


def gather(directory: Path):
    for file in sorted(directory.glob("*.xml")):
        pytest_files = {inner.stem: inner for inner in (directory / file.stem).glob("*.xml")}
        for name, passed in cases(file):
            single = name.split()[-1]
            if single in pytest_files:
                inner = [(f"{file.stem}: {n}", p) for n, p in cases(pytest_files[single])]
                yield from inner
                # pytest may also fail outside its cases, for instance while collecting.
                if passed is False and all(result is not False for _, result in inner):
                    yield f"{file.stem}: {single}", False
            else:
                yield f"{file.stem}: {single}", passed
    fuzzers = directory / "fuzz.log"
    if fuzzers.exists():
        for target, result in re.findall(r"^(\w+): (ok|FAILED)", fuzzers.read_text(), re.MULTILINE):
            yield f"fuzz: {target}", result == "ok"
    broken = directory / "broken"
    if broken.exists():
        yield from ((line, False) for line in broken.read_text().splitlines())


def main() -> int:
    results = list(gather(Path(sys.argv[1])))
    failed = [name for name, passed in results if passed is False]
    passed = sum(1 for _, result in results if result)
    skipped = sum(1 for _, result in results if result is None)
    for name in failed:
        print(f"failed: {name}")
    print(f"{passed} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
