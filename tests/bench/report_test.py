"""Checks the ratios and verdicts of the benchmark's report."""

import unittest

import report
from measure import Sample, to_sample

GOAL = (report.Goal("fibers", 64, throughput=1.5, cpu=0.5),)


def sample(rate, cpu, failures=0):
    return Sample(requests_per_second=rate, p50_us=1, p99_us=2, cpu_us=cpu,
                  parts={"workers": cpu, "load": 1}, failures=failures,
                  first_failure="reason" if failures else "")


def results(ours, baseline):
    out = report.Results()
    for one in ours:
        out.add("fibers", 64, sample(*one))
    for one in baseline:
        out.add(report.BASELINE, 64, sample(*one))
    return out


class ReportTest(unittest.TestCase):
    def reached(self, ours, baseline):
        return [reached for _, reached in report.verdicts(results(ours, baseline), GOAL)]

    def test_goals_count_as_reached_at_their_limit(self):
        self.assertEqual(self.reached([(150, 5)], [(100, 10)]), [True])

    def test_throughput_below_the_goal_misses_it(self):
        self.assertEqual(self.reached([(149.9, 5)], [(100, 10)]), [False])

    def test_cpu_above_the_goal_misses_it(self):
        self.assertEqual(self.reached([(150, 5.1)], [(100, 10)]), [False])

    def test_goal_that_was_not_measured_has_no_verdict(self):
        self.assertEqual(self.reached([(150, 5)], []), [])
        self.assertEqual(self.reached([], [(100, 10)]), [])

    def test_ratio_is_the_median_of_the_ratios_of_each_round(self):
        both = results([(100, 1), (400, 1), (300, 1)], [(100, 1), (100, 1), (200, 1)])
        self.assertEqual(both.ratio("fibers", 64, "requests_per_second"), 1.5)

    def test_verdict_line_names_values_and_limits(self):
        lines = [line for line, _ in report.verdicts(results([(210, 3.5)], [(100, 10)]), GOAL)]
        self.assertEqual(lines, ["c=64 fibers: throughput 2.10x (>= 1.5), CPU 0.35x (<= 0.5): ok"])

    def test_failures_are_counted_and_explained(self):
        both = results([(100, 1, 0), (100, 1, 3)], [(100, 1)])
        self.assertEqual(both.failures(), 3)
        self.assertEqual(list(report.failure_lines(both)),
                         ["c=64 fibers: 3 requests failed: reason"])

    def test_master_is_shown_only_when_it_used_cpu_and_is_never_summed(self):
        raw = {"answers": 1000, "requests_per_second": 1, "p50_us": 1, "p99_us": 1,
               "cpu_seconds": 0.002, "failures": 0, "first_failure": ""}
        for master, shown in ((0, False), (1_000_000, True)):
            out = report.Results()
            out.add("fibers", 64, to_sample(raw, {"master": master, "bridge": 3_000_000,
                                                  "workers": 1_000_000}))
            self.assertEqual(out.value("fibers", 64, "cpu_us"), 4)
            self.assertEqual("master" in "\n".join(report.table(out)), shown)


if __name__ == "__main__":
    unittest.main()
