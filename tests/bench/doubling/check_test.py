#!/usr/bin/env python3
"""Tests of check.py: dumps are read, and a quadratic count is told from a linear one."""

import unittest

import check


class GrowthTest(unittest.TestCase):
    @staticmethod
    def of(cost):
        return check.growth({times: 1000 + cost(500 * times) for times in (1, 2, 4)})

    def test_linear_and_sorting_pass(self):
        self.assertEqual(self.of(lambda n: 7 * n), 2)
        self.assertLess(self.of(lambda n: n * n.bit_length()), check.GROWTH)
        self.assertEqual(self.of(lambda n: 0), 0)

    def test_quadratic_fails(self):
        self.assertEqual(self.of(lambda n: n * n), 4)
        self.assertGreater(self.of(lambda n: n * n // 4 + 100 * n), check.GROWTH)

    def test_what_begins_late_fails(self):
        self.assertGreater(self.of(lambda n: 5 if n > 1000 else 0), check.GROWTH)


class DumpTest(unittest.TestCase):
    def test_dump(self):
        text = "version: 1\ndesc: Trigger: Client Request: 2 http: fields\nsummary: 17\nfn=x\ntotals: 17\n"
        self.assertEqual(check.read_dump(text), ("http: fields", 2, 17))

    def test_the_last_dump_has_no_name(self):
        self.assertIsNone(check.read_dump("desc: Trigger: Program termination\ntotals: 17\n"))


if __name__ == "__main__":
    unittest.main()
