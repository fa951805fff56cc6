"""All counts, as text."""

import statistics

from .course import Result
from .ledger import Outcome
from .verdict import BRIDGES, CHAOS

_COLUMNS = ("kind", "methods", "sent", *(outcome.value for outcome in Outcome))


def table(result: Result, phase: str) -> list[str]:
    rows = [_COLUMNS]
    for kind in result.ledger.kinds:
        ended = [result.ledger.ended(kind, phase, outcome) for outcome in Outcome]
        rows.append((kind.name, kind.methods, result.ledger.sent(kind, phase), *ended))
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(_COLUMNS))]
    return [
        "  ".join(str(cell).ljust(w) if i < 2 else str(cell).rjust(w) for i, (cell, w) in enumerate(zip(row, widths)))
        for row in rows
    ]


def summary(result: Result) -> str:
    verdict, counts = result.verdict, result.journal.counts()
    rate = counts["kill"] / result.chaos_took if result.chaos_took else 0.0
    failed_idempotent = sum(
        x.kind.idempotent and x.outcome is Outcome.FAILED and x.phase == CHAOS for x in result.ledger.unhappy
    )
    lines = [
        f"chaos for {result.chaos_took:.0f} s (seed {result.seed}, {result.threads} threads in the bridge), "
        f"{rate:.2f} workers killed a second"
    ]
    lines += ["  " + line for line in table(result, CHAOS)]
    deeds = [f"{what} {count}" for what, count in sorted(counts.items()) if what != "kill bridge"]
    lines += [
        f"  done to it: {', '.join(deeds)}",
        f"  failed idempotent requests: {failed_idempotent}",
        f"  requests that a second worker was sent: {result.repeated}",
        f"  POSTs that were in a killed worker, 502: {verdict.lost_with_worker}",
        f"  long responses broken with their worker, and seen to be: {verdict.broken_with_worker}",
        f"  hung: {result.ledger.total(Outcome.HUNG)}",
        f"{counts['kill bridge']} kills of the bridge",
    ]
    lines += ["  " + line for line in table(result, BRIDGES)]
    if result.back:
        lines.append(
            f"  back after {statistics.median(result.back) * 1000:.0f} ms (median), "
            f"{max(result.back) * 1000:.0f} ms (longest)"
        )
    lines.append(f"  requests lost with a bridge: {sum(verdict.inside_a_bridge.values())}")
    lines += [f"    {count} {what}" for what, count in sorted(verdict.inside_a_bridge.items())]
    lines.append(f"  cut, and by nginx without buffers shown as complete: {verdict.cut_unseen}")
    lines.append("left over")
    lines += [f"  before: {result.base}"] + [f"  after {phase}: {kept}" for phase, kept in result.kept.items()]
    lines.append(f"  zombies: {len(result.watch.stale)}")
    for series in result.watch.series():
        if thirds := series.thirds():
            lines.append(
                f"  memory of {series.name}, {series.seconds():.0f} s: {thirds[0] / 2**20:.1f} MiB "
                f"in the first third, {thirds[1] / 2**20:.1f} MiB in the last"
            )
    return "\n".join(lines)


def failures(result: Result, most: int = 20) -> str:
    wrong = result.verdict.wrong
    more = [f"and {len(wrong) - most} more"] if len(wrong) > most else []
    return "\n".join([f"{len(wrong)} wrong", *wrong[:most], *more])
