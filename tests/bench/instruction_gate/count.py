"""Runs a driver under callgrind: which rows there are, and what each costs."""

import dataclasses
import os
import subprocess
import tempfile

from instruction_gate import profile

HERE = os.path.dirname(os.path.abspath(__file__))
PARAMS = "nginx_params"
BODY = 64 * 1024
TIMEOUT = 120  # seconds, one run

# Left to itself the C library chooses its string functions by what the processor can do, limits
# them by the size of its caches, and makes arenas by the number of processors.
_BASELINE = ("AVX", "AVX2", "AVX512F", "AVX512VL", "AVX512BW", "AVX_Fast_Unaligned_Load", "BMI2",
             "ERMS", "FSRM", "MOVBE", "RTM", "SSE4_1", "SSE4_2", "SSSE3")
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LD_BIND_NOW": "1",
    "GLIBC_TUNABLES": ":".join(("glibc.cpu.hwcaps=" + ",".join("-" + one for one in _BASELINE),
                                "glibc.cpu.x86_non_temporal_threshold=0xc0000",
                                "glibc.malloc.arena_max=1")),
}


class CountError(Exception):
    """A run that gives no figure."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: a driver (worker, bridge) of one kind (fibers, http, ...), with so
    many requests in flight, with or without bodies."""

    driver: str
    kind: str
    in_flight: int
    body: bool = False

    @property
    def name(self):
        return f"{self.driver} {self.kind} " + ("body" if self.body else str(self.in_flight))

    @property
    def batches(self):
        """Batches of the short run: memory, averages and tables have their usual sizes then."""
        return max(2, 64 // self.in_flight)

    @property
    def more_batches(self):
        """Batches that the long run has in addition."""
        return 32 if self.body else max(4, 512 // self.in_flight)


ROWS = tuple(Row(driver, kind, in_flight, body)
             for driver, kinds in (("worker", ("fibers", "threads")),
                                   ("bridge", ("fastcgi", "http")))
             for kind in kinds
             for in_flight, body in ((1, False), (16, False), (64, False), (256, False), (1, True)))


def run(row, programs, batches):
    """Counter of instructions by function in one run. Links in a directory of its own keep the
    paths that the process sees, and with them its memory, the same wherever the tree is."""
    with tempfile.TemporaryDirectory(prefix="viaduct-count-") as directory:
        program = row.driver + "_driver"
        os.symlink(os.path.join(programs, program), os.path.join(directory, program))
        os.symlink(os.path.join(HERE, PARAMS), os.path.join(directory, PARAMS))
        command = ["valgrind", "--tool=callgrind", "--quiet", "--fair-sched=yes",
                   "--callgrind-out-file=profile", "./" + program, PARAMS, row.kind,
                   str(row.in_flight), str(BODY if row.body else 0), str(batches)]
        try:
            done = subprocess.run(command, cwd=directory, env=ENVIRONMENT, timeout=TIMEOUT,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
        except FileNotFoundError:
            raise CountError("valgrind is not installed: contrib/install-packages tests") from None
        except subprocess.TimeoutExpired:
            raise CountError(f"{row.name}: not done after {TIMEOUT} s") from None
        if done.returncode != 0:
            raise CountError(f"{row.name}: exit status {done.returncode}: {done.stdout.strip()}")
        with open(os.path.join(directory, "profile"), encoding="utf-8") as file:
            return profile.functions(file)


def count(row, programs):
    """Instructions per request by function: what a longer run takes more than a shorter one, so
    that start and end of the process do not count."""
    short = run(row, programs, row.batches)
    long = run(row, programs, row.batches + row.more_batches)
    return profile.difference(short, long, row.more_batches * row.in_flight)
