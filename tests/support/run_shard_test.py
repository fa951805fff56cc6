#!/usr/bin/env python3
"""Tests run_shard.py and what summary.py makes of its reports: run_shard_test.py PROGRAM, which is
ill_cases.cpp."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SUPPORT = Path(__file__).resolve().parent
PROGRAM = sys.argv.pop()


class RunShard(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.results = Path(scratch.name)

    def run_shards(self, cases: str, shards: int = 1, seconds: str = "60"):
        """Runs all shards as ctest does, and leaves a JUnit file like that of ctest."""
        environment = os.environ | {
            "VIADUCT_RESULTS": str(self.results / "unit"),
            "GTEST_FILTER": cases,
        }
        rows = []
        for shard in range(1, shards + 1):
            name = f"ill.shard{shard}"
            done = subprocess.run(
                [SUPPORT / "run_shard.py", name, str(shard), str(shards), seconds, PROGRAM],
                env=environment,
                capture_output=True,
                check=False,
            )
            failure = '<failure message=""/>' if done.returncode else ""
            rows.append(f'<testcase classname="{name}" name="{name}">{failure}</testcase>')
        (self.results / "unit.xml").write_text(f"<testsuite>{''.join(rows)}</testsuite>")

    def summary(self) -> str:
        command = [sys.executable, SUPPORT / "summary.py", self.results]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def test_every_case_counts_once_however_many_shards(self):
        self.run_shards("Many/Numbered.*", shards=3)
        self.assertEqual(self.summary(), "10 passed, 0 failed\n")

    def test_a_failed_and_a_skipped_case_are_told_from_those_that_passed(self):
        self.run_shards("IllCases.Passes:IllCases.Fails:IllCases.IsSkipped")
        self.assertIn("failed: unit: IllCases Fails\n", self.summary())
        self.assertTrue(self.summary().endswith("\n1 passed, 1 failed, 1 skipped\n"))

    def test_the_case_that_crashed_is_named_with_its_output(self):
        self.run_shards("IllCases.Passes:IllCases.Fails:IllCases.Crashes")
        self.assertIn("about to crash", self.summary())
        self.assertIn("ended with status -9", self.summary())
        self.assertIn("failed: unit: IllCases Crashes\n", self.summary())
        self.assertTrue(self.summary().endswith("\n1 passed, 2 failed\n"))

    def test_the_case_that_hangs_is_named(self):
        self.run_shards("IllCases.Passes:IllCases.Hangs", seconds="1")
        self.assertIn("took more than 1 s", self.summary())
        self.assertIn("failed: unit: IllCases Hangs\n", self.summary())
        self.assertTrue(self.summary().endswith("\n1 passed, 1 failed\n"))


if __name__ == "__main__":
    unittest.main()
