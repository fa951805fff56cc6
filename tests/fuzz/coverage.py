#!/usr/bin/env python3
"""Which lines of protocol/ the fuzzers' corpora reach: coverage.py ROOT PROGRAMS LEAST LINES.

LINES has TARGET.profraw for each fuzzer run on its corpus alone, PROGRAMS has fuzz_TARGET. Prints a
line for each file, with the numbers of the lines that no target reaches; exits 1 when the share is
below LEAST percent. The targets are read one by one: llvm-cov itself drops functions that differ
between two programs."""

import collections
import os
import subprocess
import sys
from pathlib import Path

Lines = dict[str, dict[int, int]]


def read_lcov(text: str, root: Path) -> Lines:
    """How often each line of a source of protocol/ was executed."""
    files: Lines = {}
    current: dict[int, int] = {}
    for line in text.splitlines():
        if line.startswith("SF:"):
            name = os.path.relpath(os.path.normpath(line[3:]), root)
            current = files.setdefault(name, {}) if name.startswith("protocol/") else {}
        elif line.startswith("DA:"):
            number, count = line[3:].split(",")[:2]
            current[int(number)] = max(current.get(int(number), 0), int(count))
    return files


def export(program: Path, raw: Path) -> str:
    merged = raw.with_suffix(".profdata")
    subprocess.run(["llvm-profdata", "merge", "-o", merged, raw], check=True)
    command = ["llvm-cov", "export", "-format=lcov", f"-instr-profile={merged}", program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> int:
    root, programs, least, directory = (
        Path(sys.argv[1]).resolve(), Path(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
    )
    counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for raw in sorted(directory.glob("*.profraw")):
        for name, lines in read_lcov(export(programs / f"fuzz_{raw.stem}", raw), root).items():
            for number, count in lines.items():
                counts[name][number] += count
    missed = {name: sorted(n for n, count in lines.items() if not count) for name, lines in counts.items()}
    for name in sorted(counts):
        reached = len(counts[name]) - len(missed[name])
        rest = " ".join(map(str, missed[name]))
        print(f"{name:40} {reached:4} of {len(counts[name]):4}  {rest}".rstrip())
    total = sum(map(len, counts.values()))
    share = 100 * (total - sum(map(len, missed.values()))) / total if total else 0
    print(f"{share:.1f} % of {total} lines of protocol/ are reached")
    return 0 if share >= least else 1


if __name__ == "__main__":
    sys.exit(main())
