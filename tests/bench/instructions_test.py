"""Checks how instructions are read from a profile and compared with the figures."""

import os
import unittest

from instruction_gate import count, figures, profile, toolchain

GCC = {"compiler": "g++ (Debian 12.2.0-14+deb12u1) 12.2.0", "libc": "2.36"}


class VerdictTest(unittest.TestCase):
    def judge(self, was, now):
        return [one.line for one in figures.verdicts(was, now)]

    def test_bound_is_the_lesser_of_three_percent_and_a_hundred_instructions(self):
        self.assertEqual(figures.bound(1000), 30)
        self.assertEqual(figures.bound(12000), 100)

    def test_growth_up_to_the_bound_passes(self):
        self.assertEqual(self.judge({"a": 12000, "b": 1000}, {"a": 12100, "b": 1030}), [])

    def test_growth_beyond_the_bound_fails_and_says_by_how_much(self):
        self.assertEqual(self.judge({"a": 12000, "b": 1000}, {"a": 12101, "b": 1031}), [
            "FAILED a: 12,000 -> 12,101 instructions a request (+101, +0.8%), bound 100",
            "FAILED b: 1,000 -> 1,031 instructions a request (+31, +3.1%), bound 30"])

    def test_row_that_shrank_fails_until_its_figure_is_renewed(self):
        self.assertEqual(self.judge({"a": 12000}, {"a": 11900}), [])
        self.assertEqual(self.judge({"a": 12000}, {"a": 11899}), [
            "FAILED, renew the file: a: 12,000 -> 11,899 instructions a request (-101, -0.8%), bound 100"])

    def test_row_and_figure_without_the_other_fail(self):
        self.assertEqual(self.judge({"gone": 5}, {"new": 7}), [
            "FAILED new: 7 instructions, and no figure in the file",
            "FAILED gone: a figure in the file, and no such row"])

    def test_growth_that_every_count_shows_holds_and_one_that_some_do_not_is_none(self):
        was = 12000
        for counts, holds in (([12600] * 4, True), ([12600, 12600, 12010, 12600], False)):
            left = list(counts)
            now = figures.nearest(was, 12600, lambda: left.pop(0), 4)
            self.assertEqual(self.judge({"a": was}, {"a": now}) != [], holds)
        self.assertEqual(figures.nearest(was, 12100, self.fail, 4), 12100)
        self.assertEqual(figures.nearest(None, 7, self.fail, 4), 7)

    def test_table_shows_the_change_where_there_is_a_figure(self):
        lines = list(figures.table({"a": 12000}, {"a": 12100, "b": 7}))
        self.assertEqual([line.split() for line in lines[1:]],
                         [["a", "12,000", "12,100", "+100"], ["b", "-", "7"]])


class ToolchainTest(unittest.TestCase):
    def test_figures_survive_the_file(self):
        written = figures.Figures(GCC, {"worker fibers 1": 14107})
        self.assertEqual(figures.Figures.from_text(written.to_text()), written)

    def test_same_toolchain_has_no_mismatch(self):
        self.assertEqual(figures.mismatch(figures.Figures(GCC, {}), dict(GCC)), "")

    def test_flags_of_the_project_turn_no_gate_off(self):
        figures_of = figures.Figures({**GCC, "flags": "-O2", "sanitizer": "none"}, {})
        for change, chosen in (({"flags": "-O1"}, True), ({"sanitizer": "address"}, False),
                               ({"compiler": "g++ 13"}, False),
                               ({"flags": "-O1", "libc": "2.37"}, False)):
            self.assertEqual(
                figures.is_chosen_here(figures_of, {**figures_of.toolchain, **change}), chosen, change)

    def test_mismatch_names_what_differs(self):
        clang = {**GCC, "compiler": "Debian clang version 14.0.6"}
        self.assertEqual(figures.mismatch(figures.Figures(GCC, {}), clang),
                         "figures are for compiler g++ (Debian 12.2.0-14+deb12u1) 12.2.0, "
                         "this is compiler Debian clang version 14.0.6")

    def test_compiler_has_one_name_whatever_it_was_called_by(self):
        for name in ("c++", "g++-12"):
            line = f"{name} (Debian 12.2.0-14+deb12u1) 12.2.0"
            self.assertEqual(toolchain.compiler_of(line), GCC["compiler"])
        self.assertEqual(toolchain.compiler_of("Debian clang version 14.0.6"),
                         "Debian clang version 14.0.6")

    def test_cache_is_read_by_name(self):
        cache = toolchain.read_cache("# comment\nCMAKE_CXX_FLAGS_RELEASE:STRING=-O2 -g1\n"
                                     "VIADUCT_SANITIZE:STRING=\nA-ADVANCED:INTERNAL=1\n")
        self.assertEqual(cache["CMAKE_CXX_FLAGS_RELEASE"], "-O2 -g1")
        self.assertEqual(cache["VIADUCT_SANITIZE"], "")


PROFILE = """\
events: Ir
summary: 100

fl=(1) a.cpp
fn=(1) main
10 5
+2 7
cfn=(2) viaduct::protocol::parse(int)
calls=3 20
+1 60
* 1

fn=(2)
fi=(2) b.hpp
20 40
-4 20

totals: 73
"""


class ProfileTest(unittest.TestCase):
    def test_function_has_its_own_instructions_only(self):
        self.assertEqual(profile.functions(PROFILE.splitlines()),
                         {"main": 13, "viaduct::protocol::parse(int)": 60})

    def test_difference_is_per_request_of_the_longer_run(self):
        short, long = profile.functions(PROFILE.splitlines()), {"new": 30, "main": 33}
        found = profile.difference(short, {**short, **long}, 10)
        self.assertEqual(found, {"main": 2, "new": 3, "viaduct::protocol::parse(int)": 0})
        self.assertEqual(profile.total(found), 5)

    def test_most_expensive_functions_come_first_with_their_share(self):
        lines = list(profile.most_expensive(profile.functions(PROFILE.splitlines()), 1))
        self.assertEqual([line.split() for line in lines],
                         [["60.0", "82.2%", "protocol::parse(int)"]])


class InputTest(unittest.TestCase):
    def test_request_has_27_variables_of_870_bytes(self):
        with open(os.path.join(count.HERE, count.PARAMS), encoding="utf-8") as file:
            pairs = [line.split("=", 1) for line in file.read().splitlines()]
        # FastCGI 1.0, section 3.4: a length takes one byte, or four from 128 on.
        size = sum(len(part) + (1 if len(part) < 128 else 4) for pair in pairs for part in pair)
        self.assertEqual((len(pairs), size), (27, 870))

    def test_rows_have_different_names(self):
        self.assertEqual(len({row.name for row in count.ROWS}), len(count.ROWS))


if __name__ == "__main__":
    unittest.main()
