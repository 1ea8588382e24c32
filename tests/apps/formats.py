"""Asks for reports in both formats, and holds them against each other."""
import os
import re

from json_report import reports
from json_text import text_of
from process import until

DURATION = re.compile(r"\b(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d)?)s)?(?:(\d+)ms)?\b")
UNITS = (86400, 3600, 60, 1, 0.001)


def split(text):
    """The text without its durations, and these in seconds."""
    found = []

    def take(match):
        if not any(match.groups()):
            return match.group(0)
        found.append(sum(float(n) * unit for n, unit in zip(match.groups(), UNITS) if n))
        return "<time>"

    return DURATION.sub(take, text).splitlines(), found


def without_dead_ends(lines):
    """The process itself knows the local end of a socket whose connect() failed."""
    return [re.sub(r"(fd [\d,]+  )\S+( -> \S+  closed )", r"\1-\2", line) for line in lines]


def one(text):
    [found] = reports(text)
    return found


class Asks:
    """The two formats, side by side."""

    def __init__(self, guard):
        self.guard = guard

    def signalled(self, pid):
        """The JSON report that the process writes on the signal; needs format=json."""
        before = len(self.guard.reports(pid))
        os.kill(pid, self.guard.signal)
        text = until(lambda: self.guard.reports(pid)[before:].endswith("}\n") and
                     self.guard.reports(pid)[before:], f"a JSON report of {pid} by signal")
        return one(text)

    def agreed(self, pid):
        """The JSON report, by command and by signal: the text says the same before and after."""
        found = {}
        for trigger in ("request", "signal"):
            before = self.guard.printed(pid)
            found[trigger] = self.signalled(pid) if trigger == "signal" else \
                one(self.guard.printed(pid, "json"))
            after = self.guard.printed(pid)
            assert found[trigger]["trigger"] == trigger
            (lines, least), (made, times), (_, most) = map(
                split, (before, text_of(found[trigger]), after))
            assert without_dead_ends(made) == without_dead_ends(lines)
            assert len(least) == len(times) == len(most)
            assert all(a <= b <= c for a, b, c in zip(least, times, most))
        assert [g["fingerprint"] for g in found["request"]["groups"]] == \
            [g["fingerprint"] for g in found["signal"]["groups"]]
        return found["request"]
