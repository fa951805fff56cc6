"""Which outcomes are right: a list of what is not, each with all that helps to find out why."""

from dataclasses import dataclass, field

from .journal import Journal
from .ledger import COMPLETE_BUT_WRONG, Exchange, Ledger, Outcome

CHAOS, BRIDGES = "chaos", "bridge kills"


@dataclass
class Verdict:
    wrong: list[str] = field(default_factory=list)
    # Of those that are right all the same.
    broken_with_worker: int = 0
    lost_with_worker: int = 0
    inside_a_bridge: dict[str, int] = field(default_factory=dict)  # by kind and outcome
    cut_unseen: int = 0  # with a bridge, behind nginx without buffers


def judge(ledger: Ledger, journal: Journal) -> Verdict:
    verdict = Verdict()
    verdict.wrong += ledger.defects + journal.defects
    for exchange in ledger.unhappy:
        if is_cut_unseen(exchange, journal):
            verdict.cut_unseen += 1
        elif was_inside_a_bridge(exchange, journal) and not is_wrong_in_any_case(exchange):
            key = f"{exchange.kind.name}: {exchange.note or exchange.outcome.value}"
            verdict.inside_a_bridge[key] = verdict.inside_a_bridge.get(key, 0) + 1
        elif is_broken_with_worker(exchange, journal):
            verdict.broken_with_worker += 1
        elif is_lost_with_worker(exchange, journal):
            verdict.lost_with_worker += 1
        else:
            verdict.wrong.append(describe(exchange, journal))
    for exchange in ledger.open():
        verdict.wrong.append("never ended: " + describe(exchange, journal))
    for exchange in ledger.clean_ends:
        if exchange.phase == BRIDGES and was_inside_a_bridge(exchange, journal):
            verdict.cut_unseen += 1
    verdict.wrong += clean_ends_of_killed_workers(ledger, journal)
    return verdict


def was_inside_a_bridge(exchange: Exchange, journal: Journal) -> bool:
    kills = journal.of("kill bridge")
    return any(exchange.overlaps(kill.began, kill.ended) for kill in kills)


def looks_complete(exchange: Exchange) -> bool:
    return exchange.note.startswith(COMPLETE_BUT_WRONG)


def is_wrong_in_any_case(exchange: Exchange) -> bool:
    return exchange.outcome is Outcome.HUNG or looks_complete(exchange)


def is_cut_unseen(exchange: Exchange, journal: Journal) -> bool:
    """What nginx does without its buffers when a bridge is killed (see the package)."""
    unseen = looks_complete(exchange) and exchange.kind.unbuffered and not exchange.announced
    return unseen and was_inside_a_bridge(exchange, journal)


def is_broken_with_worker(exchange: Exchange, journal: Journal) -> bool:
    if exchange.outcome is not Outcome.BROKEN or not exchange.kind.long:
        return False
    if not exchange.headed:  # its worker is not known
        kills = [kill for kill in journal.of("kill") if kill.app == exchange.kind.app]
    else:
        kills = [kill for kill in journal.of("kill") if kill.pid == exchange.worker]
    return any(exchange.overlaps(kill.began, kill.ended) for kill in kills)


def is_lost_with_worker(exchange: Exchange, journal: Journal) -> bool:
    if exchange.kind.idempotent or exchange.outcome is not Outcome.FAILED or exchange.status != 502:
        return False
    return any(
        kill.app == exchange.kind.app and exchange.overlaps(kill.began, kill.ended)
        for kill in journal.of("kill")
    )


def clean_ends_of_killed_workers(ledger: Ledger, journal: Journal) -> list[str]:
    """A stream whose worker is killed must not look as if it had ended. A worker that is told to
    drain at the same time ends its streams itself, so only kills count beside which nothing was done."""
    wrong = []
    for exchange in ledger.clean_ends:
        kill = journal.kill_of(exchange.worker)
        if kill and kill.alone and exchange.ended > kill.ended:
            wrong.append("ended in order though its worker was killed: " + describe(exchange, journal))
    return wrong


def describe(exchange: Exchange, journal: Journal) -> str:
    at = journal.since_start(exchange.began)
    until = journal.since_start(exchange.ended) if exchange.ended else float("nan")
    lines = [
        f"{exchange.kind.name}: {exchange.request}: {(exchange.outcome or Outcome.HUNG).value}: "
        f"{exchange.note} (sent {at:.3f} s, ended {until:.3f} s, status {exchange.status}, "
        f"worker {exchange.worker or 'unknown'}); meanwhile:"
    ]
    lines += ["    " + journal.line(deed) for deed in journal.around(exchange.began, exchange.ended or exchange.began)]
    return "\n".join(lines)
