#!/usr/bin/env python3
"""Fails when a parser of what clients send takes more than linear time, by counting instructions.

    check.py DRIVER

The driver parses hostile input of three sizes: n, 2n, 4n. From 2n to 4n a linear parser needs twice
what it needs from n to 2n, a quadratic one four times that; GROWTH stands between. Exit status: 0; 1
when one grew more; 70 when it could not be run; 77 without valgrind."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

GROWTH = 2.7
EXIT_GREW, EXIT_INTERNAL, EXIT_SKIPPED = 1, 70, 77
TIMEOUT = 800  # seconds


def read_dump(text):
    """(case, times, instructions) of one dump of callgrind; None of another file."""
    name = re.search(r"^desc: Trigger: Client Request: (\d+) (.*)$", text, re.MULTILINE)
    total = re.search(r"^(?:totals|summary): (\d+)$", text, re.MULTILINE)
    return (name[2], int(name[1]), int(total[1])) if name and total else None


def growth(counts):
    """How many times more the second step took than the first. `counts`: by 1, 2 and 4."""
    first, second = counts[2] - counts[1], counts[4] - counts[2]
    return second / first if first > 0 else float("inf") if second > 0 else 0.0


def run(driver):
    """Counts of each case, in order."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="viaduct-doubling-") as directory:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--quiet", "--callgrind-out-file=profile", driver],
            cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=TIMEOUT, check=False)
        if done.returncode != 0:
            raise OSError(f"{driver}: exit status {done.returncode}: {done.stdout[-500:]}")
        files = [name for name in os.listdir(directory) if re.fullmatch(r"profile\.\d+", name)]
        for name in sorted(files, key=lambda name: int(name.split(".")[1])):
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                dump = read_dump(file.read())
            if dump:
                found.setdefault(dump[0], {})[dump[1]] = dump[2]
    if not found or any(set(counts) != {1, 2, 4} for counts in found.values()):
        raise OSError("callgrind has not written every count")
    return found


def main():
    if shutil.which("valgrind") is None:
        print("valgrind is not installed")
        return EXIT_SKIPPED
    try:
        found = run(os.path.abspath(sys.argv[1]))
    except (OSError, subprocess.SubprocessError) as error:
        print(f"doubling: {error}", file=sys.stderr)
        return EXIT_INTERNAL
    missed = [case for case, counts in found.items() if growth(counts) > GROWTH]
    print(f"{'instructions':50} {'n':>12} {'2n':>12} {'4n':>12} growth")
    for case, counts in found.items():
        mark = "  more than linear" if case in missed else ""
        print(f"{case:50} {counts[1]:12,} {counts[2]:12,} {counts[4]:12,} "
              f"{growth(counts):6.2f}{mark}")
    return EXIT_GREW if missed else 0


if __name__ == "__main__":
    sys.exit(main())
