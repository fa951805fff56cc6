#!/usr/bin/env python3
"""Tests of log_cost.py: costs are differences within a round, whatever the rounds differ by."""

import tempfile
import unittest

import log_cost


def one(bridge, master, lines=1.0):
    return {"bridge": bridge, "master": master, "both": bridge + master, "lines": lines}


class CostTest(unittest.TestCase):
    # The second round was on a machine half as fast.
    rounds = [{"off": one(2.0, 0.0, 0.0), "json": one(3.0, 0.5)},
              {"off": one(4.0, 0.0, 0.0), "json": one(5.2, 1.0)},
              {"off": one(2.0, 0.0, 0.0), "json": one(3.1, 0.6)}]

    def test_cost_is_of_the_same_round(self):
        self.assertAlmostEqual(log_cost.cost(self.rounds, "json", "bridge"), 1.1)
        self.assertAlmostEqual(log_cost.cost(self.rounds, "json", "both"), 1.7)
        self.assertEqual(log_cost.cost(self.rounds, "off", "both"), 0)

    def test_table_has_a_line_for_each(self):
        head, off, json = log_cost.table(self.rounds)
        self.assertIn("master us", head)
        self.assertEqual(off.split(), ["off", "2.00", "0.00", "2.00", "0.00", "0.00"])
        self.assertEqual(json.split(), ["json", "3.10", "0.60", "3.70", "1.70", "1.00"])


class ServerTest(unittest.TestCase):
    def test_only_one_has_a_log_and_they_share_no_file(self):
        with tempfile.TemporaryDirectory() as directory:
            off, json = (log_cost.LoggingViaduct("viaductd", "hello", directory, form)
                         for form in ("off", "json"))
            self.assertEqual(off.configuration()["access_log"], {"to": "off"})
            self.assertEqual(json.configuration()["access_log"]["format"], "json")
            for attribute in ("path", "log", "config", "runtime", "access", "address"):
                self.assertNotEqual(getattr(off, attribute), getattr(json, attribute))
            with open(json.access, "w", encoding="utf-8") as file:
                file.write("{}\n{}\n")
            self.assertEqual((json.lines(), json.lines(), off.lines()), (2, 0, 0))


if __name__ == "__main__":
    unittest.main()
