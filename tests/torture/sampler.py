"""Looks at a process that does not stand still: the guard's open connections against the kernel's.

What the kernel had before and after the guard was asked was open all the while, so the guard names
it; what the guard names, and says is older than the first look, the kernel had then. A close() that
has been recorded and has not come to pass yet looks like a connection that is missing: it is, when
it is missing twice running.
"""
import re
import time

import truth

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
SLACK = 0.1  # ages are of a coarse clock, and rounded


def age(connection):
    text = re.match(r"age (\S+)", connection.rest).group(1)
    return sum(float(n) * UNITS[unit] for n, unit in re.findall(r"([\d.]+)(ms|s|m|h|d)", text))


def kernel(pid):
    return {(c.local, c.remote) for c in truth.connections(pid)}


class Sampler:
    def __init__(self, guard, pid):
        self.guard, self.pid, self.missing = guard, pid, set()
        self.compared = 0

    def look(self):
        """Returns the report; fails when it and the kernel contradict each other."""
        begin = time.monotonic()
        before = kernel(self.pid)
        report = self.guard.by_command(self.pid)
        elapsed = time.monotonic() - begin
        after = kernel(self.pid)
        named = {(c.local, c.remote): c for c in report.connections}
        alive = {key: c for key, c in named.items() if c.state not in ("close", "-")}
        false = [c for key, c in alive.items()
                 if key not in before | after and age(c) > elapsed + SLACK]
        assert not false, f"named, and not open: {false}\n{report.text}"
        missing = (before & after) - set(named)
        assert not missing & self.missing, f"open, and not named: {missing}\n{report.text}"
        self.missing = missing
        self.compared += len(before & after)
        return report
