"""The chaos course for a minute, and ten kills of the bridge behind it (see chaos/__init__.py).
VIADUCT_CHAOS_SECONDS makes it longer, VIADUCT_CHAOS_SEED repeats one."""

import os
import random
from pathlib import Path

import pytest

from chaos import report
from chaos.course import Course
from chaos.site import Site

SECONDS = float(os.environ.get("VIADUCT_CHAOS_SECONDS", "60"))
SEED = int(os.environ.get("VIADUCT_CHAOS_SEED", "0")) or random.randrange(1, 1_000_000)
BRIDGE_KILLS = 10


@pytest.mark.slow
def test_only_what_was_in_a_killed_process_is_lost(viaductd, start_front, capsys):
    site = Site(viaductd, start_front, threads=1 + SEED % 2)
    lines = []
    result = Course(site, SECONDS, BRIDGE_KILLS, SEED, lines.append).run()
    text = report.summary(result)
    with capsys.disabled():
        print(f"\n{text}")
    if directory := os.environ.get("VIADUCT_RESULTS"):
        (Path(directory) / "chaos.txt").write_text(text + "\n" + report.failures(result, 1000) + "\n")
    assert not result.verdict.wrong, report.failures(result)
