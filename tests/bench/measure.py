"""One measurement: load on a server, and the CPU time that its processes use meanwhile."""

import dataclasses
import json
import os
import subprocess
import time

from servers import BODY


class MeasureError(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Sample:
    """What one run of the load generator came to. CPU in microseconds per request."""
    requests_per_second: float
    p50_us: float
    p99_us: float
    cpu_us: float         # of all parts but the master
    parts: dict           # part -> cpu_us, "master" and "load" (the generator itself) included
    failures: int
    first_failure: str
    answers: int = 0      # warm-up included


def cpu_nanoseconds(pid):
    """CPU time of a process, user and system, ended threads included.

    The clock that clock_getcpuclockid(3) names: nanoseconds from the scheduler, where
    /proc/PID/stat has ticks of 10 ms."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def cpu_by_part(processes):
    return {part: sum(cpu_nanoseconds(pid) for pid in pids) for part, pids in processes.items()}


def keep_to_last_processor():
    """Gives the load generator a processor to itself, as far as the servers leave it: moved about
    by the scheduler, it makes runs of one server differ more than servers do."""
    processors = os.sched_getaffinity(0)
    if len(processors) > 1:
        os.sched_setaffinity(0, {max(processors)})


def measure(fcgi_load, server, connections, mux, seconds, warmup):
    """Runs the load generator once. Raises MeasureError when it cannot, or a process changed."""
    command = [fcgi_load, server.address, "--connections", str(connections), "--mux", str(mux),
               "--seconds", str(seconds), "--warmup", str(warmup), "--body", BODY]
    processes = server.processes()
    try:
        before = cpu_by_part(processes)
        done = subprocess.run(command, capture_output=True, text=True,
                              timeout=seconds + warmup + 60,
                              preexec_fn=keep_to_last_processor)
        after = cpu_by_part(processes)
    except OSError as error:
        raise MeasureError(f"{server.name}: a process ended during the run: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise MeasureError(f"{server.name}: fcgi_load did not end: {error}") from error
    if not done.stdout:
        raise MeasureError(f"{server.name}: {done.stderr.strip()}\n{server.last_lines()}")
    if server.processes() != processes:
        raise MeasureError(f"{server.name}: processes were replaced:\n{server.last_lines()}")
    return to_sample(json.loads(done.stdout), {part: after[part] - before[part] for part in after})


def to_sample(report, cpu):
    """`cpu`: nanoseconds by part, during all answers of the run and not only the measured ones."""
    answers = max(1, report["answers"])
    parts = {part: value / 1000 / answers for part, value in cpu.items()}
    return Sample(
        requests_per_second=report["requests_per_second"],
        p50_us=report["p50_us"],
        p99_us=report["p99_us"],
        cpu_us=sum(value for part, value in parts.items() if part != "master"),
        parts={**parts, "load": report["cpu_seconds"] * 1e6 / answers},
        failures=report["failures"],
        first_failure=report["first_failure"],
        answers=report["answers"],
    )
