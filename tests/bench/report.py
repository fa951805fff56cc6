"""Tables, ratios and verdicts from the samples of a benchmark run."""

import dataclasses
from statistics import median

BASELINE = "libfcgi"


@dataclasses.dataclass(frozen=True)
class Goal:
    """What a target has to reach in relation to the baseline."""
    target: str
    connections: int
    throughput: float  # at least
    cpu: float         # at most


GOALS = (Goal("fibers", 64, throughput=1.6, cpu=0.6),
         Goal("threads", 64, throughput=1.0, cpu=1.0))


class Results:
    """Samples by target and number of connections, one per round, in the order of the rounds."""

    def __init__(self):
        self.samples = {}

    def add(self, target, connections, sample):
        self.samples.setdefault((target, connections), []).append(sample)

    def value(self, target, connections, field):
        return median(getattr(sample, field) for sample in self.samples[target, connections])

    def part(self, target, connections, part):
        return median(sample.parts[part] for sample in self.samples[target, connections])

    def ratio(self, target, connections, field):
        """Median over the rounds of target / baseline; None when one of them was not measured."""
        ours = self.samples.get((target, connections))
        theirs = self.samples.get((BASELINE, connections))
        if not ours or not theirs or target == BASELINE:
            return None
        return median(getattr(a, field) / max(getattr(b, field), 1e-9)
                      for a, b in zip(ours, theirs))

    def failures(self):
        return sum(sample.failures for samples in self.samples.values() for sample in samples)


def table(results):
    """Lines of the table, by number of connections."""
    yield (f"{'c':>5} {'target':<15}{'req/s':>9}{'p50 us':>9}{'p99 us':>9}{'cpu us':>8}"
           f"{'req/s':>8}{'cpu':>8}  cpu us by part")
    for target, connections in sorted(results.samples, key=lambda key: key[1]):
        values = [results.value(target, connections, field)
                  for field in ("requests_per_second", "p50_us", "p99_us", "cpu_us")]
        ratios = [results.ratio(target, connections, field)
                  for field in ("requests_per_second", "cpu_us")]
        shown = "".join(f"{'' if ratio is None else f'{ratio:.2f}x':>8}" for ratio in ratios)
        yield (f"{connections:>5} {target:<15}{values[0]:>9.0f}{values[1]:>9.0f}{values[2]:>9.0f}"
               f"{values[3]:>8.2f}{shown}  {parts_line(results, target, connections)}")


def parts_line(results, target, connections):
    out = []
    for part in results.samples[target, connections][0].parts:
        value = results.part(target, connections, part)
        if part == "master" and value < 0.005:
            continue
        suffix = " (not counted)" if part in ("master", "load") else ""
        out.append(f"{part} {value:.2f}{suffix}")
    return ", ".join(out)


def verdicts(results, goals=GOALS):
    """(line, reached) for each goal that was measured."""
    for goal in goals:
        throughput = results.ratio(goal.target, goal.connections, "requests_per_second")
        cpu = results.ratio(goal.target, goal.connections, "cpu_us")
        if throughput is None or cpu is None:
            continue
        reached = throughput >= goal.throughput and cpu <= goal.cpu
        yield (f"c={goal.connections} {goal.target}: throughput {throughput:.2f}x "
               f"(>= {goal.throughput}), CPU {cpu:.2f}x (<= {goal.cpu}): "
               f"{'ok' if reached else 'MISSED'}", reached)


def failure_lines(results):
    for (target, connections), samples in results.samples.items():
        failures = sum(sample.failures for sample in samples)
        if failures:
            reason = next(sample.first_failure for sample in samples if sample.failures)
            yield f"c={connections} {target}: {failures} requests failed: {reason}"


def as_json(results, goals=GOALS):
    """Everything measured, for a file."""
    rows = []
    for (target, connections), samples in results.samples.items():
        rows.append({
            "target": target,
            "connections": connections,
            "throughput_ratio": results.ratio(target, connections, "requests_per_second"),
            "cpu_ratio": results.ratio(target, connections, "cpu_us"),
            "rounds": [dataclasses.asdict(sample) for sample in samples],
        })
    return {"baseline": BASELINE, "results": rows,
            "verdicts": [{"line": line, "reached": reached}
                         for line, reached in verdicts(results, goals)]}
