#!/usr/bin/env python3
"""Looks for every test that the table of conformance in protocol/README.md and the table of promises in
SECURITY.md name.

conformance.py ROOT EXECUTABLE...: the executables are asked for their GoogleTest tests."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

# (file, heading above the table, how many rows it has at least, cells of a row)
TABLES = [("protocol/README.md", "Conformance", 60, 3), ("SECURITY.md", "Promises", 25, 2)]
LEVELS = ("M", "S", "")  # of a requirement, in the second of three cells


def rows(text: str) -> list[list[str]]:
    """Cells of the tables' rows, heads and rules left out."""
    table = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return [row for row in cells if row[-1] != "shown by" and not set("".join(row)) <= set("-: ")]


def gtest_names(executable: str) -> set[str]:
    """Suite.Name, without what parameters add in front and behind."""
    names, suite = set(), ""
    listing = subprocess.run(
        [executable, "--gtest_list_tests"], check=True, capture_output=True, text=True
    ).stdout
    for line in listing.splitlines():
        word = line.split("#")[0].strip()
        if not line.startswith(" "):
            suite = word.rpartition("/")[2]
        else:
            names.add(suite + word.partition("/")[0])
    return names


def python_names(directory: Path) -> set[str]:
    return {
        f"{file.name}::{name}"
        for file in directory.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }


def mistakes(table: list[list[str]], known: set[str], least: int, cells: int) -> list[str]:
    found = []
    for row in table:
        names = re.findall(r"`([^`]+)`", row[-1])
        if len(row) != cells or not names or (cells == 3 and row[1] not in LEVELS):
            found.append(f"no row of the table: {' | '.join(row)}")
        found += [f"no such test: {name}" for name in names if not fnmatch.filter(known, name)]
    if len(table) < least:
        found.append(f"only {len(table)} rows")
    return found


def main() -> int:
    root = Path(sys.argv[1])
    known = python_names(root / "tests/system")
    for executable in sys.argv[2:]:
        known |= gtest_names(executable)
    wrong = []
    for file, heading, least, cells in TABLES:
        text = (root / file).read_text()
        below = text[text.index(f"\n## {heading}\n") + 1 :]
        table = rows(re.split(r"\n## ", below)[0])
        wrong += [f"{file}: {mistake}" for mistake in mistakes(table, known, least, cells)]
    print("\n".join(wrong) or "every test is there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
