#!/usr/bin/python3
"""Prints the results of test_matrix.py as two tables: matrix_table.py JUNIT_FILE.

A row for each kind of application, then one for each case (tests/system/harness/cases.py) with all kinds
together; a column for each front server and protocol. Below them the cells that cannot exist, with the
reason. Exit status 0 only when a cell passed and none failed.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

CELL = re.compile(r"test_(?:cell|program)\[(\w+)-(\w+)(?:-([\w+-]+))?\]")
PROGRAM = "a program"  # the kind of test_program
PASSED, FAILED, MISSING = "ok", "FAILED", "-"


def read(file: Path):
    """(front, protocol, kind) -> result, (front, protocol, case) -> {kind: result or reason}, and
    (front, protocol) -> why there is none."""
    results, cases, reasons = {}, {}, {}
    for testcase in ElementTree.parse(file).getroot().iter("testcase"):
        match = CELL.fullmatch(testcase.get("name"))
        if not match:
            continue
        front, protocol, kind = match[1], match[2], match[3] or PROGRAM
        for item in testcase.iter("property"):
            cases.setdefault((front, protocol, item.get("name")), {})[kind] = item.get("value")
        skipped = testcase.find("skipped")
        if skipped is not None:
            reasons[front, protocol] = skipped.get("message")
            results[front, protocol, kind] = MISSING
        else:
            failed = testcase.find("failure") is not None or testcase.find("error") is not None
            results[front, protocol, kind] = FAILED if failed else PASSED
    return results, cases, reasons


def of_all(kinds: dict[str, str]) -> str:
    """The result of a case with every kind: what some cannot do does not count where others can."""
    values = set(kinds.values())
    return next((result for result in (FAILED, PASSED) if result in values), MISSING)


def notes(cases) -> list[str]:
    """The cells of the second table that failed or cannot exist, with their kinds unless it is all of them."""
    found = {}
    for (front, protocol, case), kinds in cases.items():
        for result in dict.fromkeys(kinds.values()):
            of = [kind for kind, value in kinds.items() if value == result]
            cell = f"{front} {protocol}" + ("" if len(of) == len(kinds) else f" ({', '.join(of)})")
            if result != PASSED:
                found.setdefault((case, result), []).append(cell)
    return [
        f"{FAILED} {case}: {', '.join(cells)}" if result == FAILED else f"{MISSING} {case}: {', '.join(cells)}: {result}"
        for (case, result), cells in found.items()
    ]


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


def by_way(cells, results) -> list:
    """The cells, front servers and protocols in the order of the first table."""
    ways = list(dict.fromkeys((front, protocol) for front, protocol, _ in results))
    return sorted(cells, key=lambda cell: ways.index(cell[:2]))


def main() -> int:
    results, cases, reasons = read(Path(sys.argv[1]))
    values = list(results.values())
    if results:
        print(*table(results), sep="\n")
    if cases:
        whole = {(front, protocol, case): MISSING for front, protocol in reasons for _, _, case in cases}
        whole |= {where: of_all(kinds) for where, kinds in cases.items()}
        print("", *table({where: whole[where] for where in by_way(whole, results)}), sep="\n")
    for (front, protocol), reason in reasons.items():
        print(f"{MISSING} {front} {protocol}: {reason}")
    for line in notes(cases):
        print(line)
    print(f"{values.count(PASSED)} passed, {values.count(FAILED)} failed")
    return 0 if PASSED in values and FAILED not in values else 1


if __name__ == "__main__":
    sys.exit(main())
