"""The figures of tests/bench/instructions.json, and what a change of one means."""

import dataclasses
import json

GROWTH = 0.03
INSTRUCTIONS = 100


def bound(was):
    """The largest difference from a figure that passes."""
    return min(GROWTH * was, INSTRUCTIONS)


@dataclasses.dataclass
class Figures:
    """Instructions per request by name of the row, and the toolchain they are for."""

    toolchain: dict
    rows: dict

    def to_text(self):
        return json.dumps({"toolchain": self.toolchain, "instructions": self.rows}, indent=2) + "\n"

    @classmethod
    def from_text(cls, text):
        """Raises ValueError or KeyError when `text` is not what to_text() writes."""
        content = json.loads(text)
        return cls(content["toolchain"], content["instructions"])


def describe(toolchain):
    """A toolchain in one line."""
    return ", ".join(f"{name} {value}" for name, value in toolchain.items())


def mismatch(figures, toolchain):
    """The reason why figures do not hold for a toolchain; "" when they do."""
    if figures.toolchain == toolchain:
        return ""
    names = [name for name in {**figures.toolchain, **toolchain}
             if figures.toolchain.get(name) != toolchain.get(name)]
    theirs, ours = ({name: side.get(name, "unknown") for name in names}
                    for side in (figures.toolchain, toolchain))
    return f"figures are for {describe(theirs)}, this is {describe(ours)}"


def is_chosen_here(figures, toolchain):
    """Whether a mismatch is of the project's own making: only what its files say differs, not the
    machine. A gate that a change of flags turns off would be none."""
    return all(figures.toolchain.get(name) == toolchain.get(name)
               for name in {**figures.toolchain, **toolchain} if name != "flags")


def nearest(was, now, count, most):
    """A handler on a thread waits at times for a moment that others do not have: of a row that
    differs, the nearest of `most` further counts holds. One that has grown has grown in each."""
    for _ in range(most):
        if was is None or verdict("", was, now) is None:
            break
        now = min(now, count(), key=lambda found: abs(found - was))
    return now


@dataclasses.dataclass
class Verdict:
    """How a row differs from its figure."""

    line: str


def verdict(name, was, now):
    """The verdict on one row, or None when it is within its bound. A missing side is None."""
    if was is None:
        return Verdict(f"FAILED {name}: {now:,} instructions, and no figure in the file")
    if now is None:
        return Verdict(f"FAILED {name}: a figure in the file, and no such row")
    allowed = bound(was)
    if abs(now - was) <= allowed:
        return None
    change = (f"{name}: {was:,} -> {now:,} instructions a request"
              f" ({now - was:+,}, {(now - was) / was:+.1%}), bound {allowed:.0f}")
    return Verdict(f"FAILED {change}" if now > was else f"FAILED, renew the file: {change}")


def verdicts(was, now):
    """Verdicts on all rows that differ by more than their bound, in the order of the rows."""
    found = (verdict(name, was.get(name), now.get(name)) for name in {**now, **was})
    return [one for one in found if one is not None]


def table(was, now):
    """Lines: each row measured, with its figure where there is one."""
    yield f"{'instructions a request':24} {'figure':>9} {'now':>9} {'change':>8}"
    for name, count in now.items():
        figure = was.get(name)
        if figure is None:
            yield f"{name:24} {'-':>9} {count:9,}"
        else:
            yield f"{name:24} {figure:9,} {count:9,} {count - figure:+8,}"
