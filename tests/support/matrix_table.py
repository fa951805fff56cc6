#!/usr/bin/python3
"""Prints the results of test_matrix.py as a table: matrix_table.py JUNIT_FILE.

A row for each kind of application, a column for each front server and protocol; below it the cells that
cannot exist, with the reason. Exit status 0 only when a cell passed and none failed.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

CELL = re.compile(r"test_cell\[(\w+)-(\w+)-([\w+-]+)\]")
PASSED, FAILED, MISSING = "ok", "FAILED", "-"


def read(file: Path):
    """(front, protocol, kind) -> result, and (front, protocol) -> why there is none."""
    results, reasons = {}, {}
    for case in ElementTree.parse(file).getroot().iter("testcase"):
        match = CELL.fullmatch(case.get("name"))
        if not match:
            continue
        skipped = case.find("skipped")
        if skipped is not None:
            reasons[match[1], match[2]] = skipped.get("message")
            results[match.groups()] = MISSING
        else:
            failed = case.find("failure") is not None or case.find("error") is not None
            results[match.groups()] = FAILED if failed else PASSED
    return results, reasons


def table(results) -> list[str]:
    ways = list(dict.fromkeys((front, protocol) for front, protocol, _ in results))
    kinds = list(dict.fromkeys(kind for _, _, kind in results))
    first = max(map(len, kinds))
    widths = [max(len(front), len(protocol), len(FAILED)) for front, protocol in ways]
    rows = [("", [front for front, _ in ways]), ("", [protocol for _, protocol in ways])]
    rows += [(kind, [results.get((*way, kind), "") for way in ways]) for kind in kinds]
    return [
        " ".join([f"{name:{first}}", *(f"{cell:{width}}" for cell, width in zip(cells, widths))]).rstrip()
        for name, cells in rows
    ]


def main() -> int:
    results, reasons = read(Path(sys.argv[1]))
    values = list(results.values())
    if results:
        print(*table(results), sep="\n")
    for (front, protocol), reason in reasons.items():
        print(f"{MISSING} {front} {protocol}: {reason}")
    print(f"{values.count(PASSED)} passed, {values.count(FAILED)} failed")
    return 0 if PASSED in values and FAILED not in values else 1


if __name__ == "__main__":
    sys.exit(main())
