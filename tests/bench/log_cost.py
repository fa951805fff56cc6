"""What the access log costs: viaductd without and with one, compared round by round."""

import os
import time
from statistics import median

import measure
import servers

PARTS = ("bridge", "master")
BASELINE = "off"
SETTLE = 0.2  # seconds in which the master copies something if there is anything left


class LoggingViaduct(servers.Viaduct):
    """viaductd whose access log goes to a file of its directory in `form`, or nowhere."""

    def __init__(self, viaductd, app, directory, form):
        super().__init__(viaductd, app, directory, "fibers")
        self.form = form
        self.name = "log-" + form
        for attribute, end in (("path", ".sock"), ("log", ".log"), ("config", ".yaml"),
                               ("runtime", ".run"), ("access", ".access.log")):
            setattr(self, attribute, os.path.join(directory, self.name + end))
        self.address = "unix:" + self.path

    def configuration(self):
        settings = super().configuration()
        if self.form != BASELINE:
            settings["access_log"] = {"to": self.access, "format": self.form}
        return settings

    def lines(self):
        """Lines that the access log has once no more are copied, and then none: it is truncated."""
        if not os.path.exists(self.access):
            return 0
        size = -1
        while (now := os.path.getsize(self.access)) != size:
            size = now
            time.sleep(SETTLE)
        count = 0
        with open(self.access, "rb") as file:
            while piece := file.read(1 << 20):
                count += piece.count(b"\n")
        os.truncate(self.access, 0)
        return count


def sample(fcgi_load, server, connections, seconds, warmup):
    """CPU in microseconds per request by part, and lines in the log per request."""
    server.lines()
    found = measure.measure(fcgi_load, server, connections, 1, seconds=seconds, warmup=warmup)
    if found.failures:
        raise measure.MeasureError(f"{server.name}: {found.failures} requests failed, "
                                   f"for instance: {found.first_failure}")
    values = {part: found.parts[part] for part in PARTS}
    return {**values, "both": sum(values.values()), "lines": server.lines() / max(found.answers, 1)}


def cost(rounds, form, part):
    """Median over the rounds of what `form` takes more than no log in the same round."""
    return median(one[form][part] - one[BASELINE][part] for one in rounds)


def table(rounds):
    """Lines of the report. `rounds`: samples by form, one dictionary per round."""
    yield (f"{'access_log':<12}{'bridge us':>11}{'master us':>11}{'both us':>11}"
           f"{'more us':>11}{'lines':>8}")
    for form in rounds[0]:
        values = [median(one[form][part] for one in rounds) for part in (*PARTS, "both")]
        more = cost(rounds, form, "both")
        lines = median(one[form]["lines"] for one in rounds)
        yield (f"{form:<12}" + "".join(f"{value:>11.2f}" for value in (*values, more))
               + f"{lines:>8.2f}")
