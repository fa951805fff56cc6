#!/usr/bin/env python3
"""Runs one shard of a GoogleTest program: run_shard.py NAME SHARD SHARDS SECONDS PROGRAM.

SHARD counts from 1. Each case may take SECONDS. With VIADUCT_RESULTS in the environment, writes a
JUnit file of the cases there, NAME.xml, which tests/support/summary.py reads. A program that does
not come to its end writes no such file; this script then writes one, in which the case that was
running has failed. Cases after that one are not run.
"""

import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

OUTSIDE = "outside of any case"


class Progress:
    """Follows the output of the program: which case runs, since when, and how others ended."""

    def __init__(self):
        self.ended = {}  # case: its result
        self.running = OUTSIDE
        self.since = time.monotonic()
        self.output = []  # lines since the running case began

    def take(self, line: str):
        self.output.append(line)
        if match := re.search(r"\[ RUN      \] (\S+)$", line):
            self._enter(match[1])
            self.output = [line]
        elif match := re.search(r"\[ +(OK|FAILED|SKIPPED) +\] (\S+?),? ", line):
            if match[2] == self.running:
                self.ended[self.running] = match[1]
                self._enter(OUTSIDE)

    def _enter(self, case: str):
        self.running = case
        self.since = time.monotonic()


def run(command: list[str], environment: dict[str, str], seconds: float):
    """The program's status, negative for a signal, None when a case took too long; and its progress."""
    progress = Progress()
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    rest = b""
    while True:
        left = progress.since + seconds - time.monotonic()
        if left <= 0:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None, progress
        if not selector.select(left):
            continue
        piece = os.read(process.stdout.fileno(), 65536)
        if not piece:
            return process.wait(), progress
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            progress.take(line.decode(errors="replace"))


def write_report(file: Path, progress: Progress, reason: str):
    suite = ElementTree.Element("testsuite", name=file.stem)
    for case, result in progress.ended.items():
        element = add_case(suite, case)
        if result != "OK":
            ElementTree.SubElement(element, "failure" if result == "FAILED" else "skipped")
    failure = ElementTree.SubElement(add_case(suite, progress.running), "failure", message=reason)
    failure.text = printable("\n".join([*progress.output, reason]))
    ElementTree.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)


def add_case(suite: ElementTree.Element, case: str) -> ElementTree.Element:
    classname, _, name = case.rpartition(".")
    return ElementTree.SubElement(suite, "testcase", classname=classname, name=name)


def printable(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)


def main() -> int:
    name, shard, shards, seconds, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        results = Path(os.environ.get("VIADUCT_RESULTS") or scratch)
        results.mkdir(parents=True, exist_ok=True)
        report = results / f"{name}.xml"
        report.unlink(missing_ok=True)
        environment = os.environ | {
            "GTEST_TOTAL_SHARDS": shards,
            "GTEST_SHARD_INDEX": str(int(shard) - 1),
            "GTEST_OUTPUT": f"xml:{report}",
        }
        status, progress = run([program], environment, float(seconds))
        if not report.exists() or status not in (0, 1):
            reason = f"took more than {seconds} s" if status is None else f"ended with status {status}"
            print(f"run_shard: {name}: {progress.running}: {reason}", flush=True)
            write_report(report, progress, reason)
            return 1
        return status


if __name__ == "__main__":
    sys.exit(main())
