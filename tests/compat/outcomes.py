"""Compares what a suite's tests came to, bare and guarded, and tells what a difference is.

A test that differs is run again, several times each way. It is
    flaky       when its outcome varies bare as well,
    signal      when it is as bare once the guard takes no signal: SIGUSR1's default action, to
                kill, is what the test asks for, and is what the guard's report replaces,
    difference  otherwise: the guard's doing.
"""
from collections import Counter
from dataclasses import dataclass, field

AGAIN = 5


def head(outcome):
    """"failed" of "failed: what it said"."""
    return outcome.split(":")[0] if outcome else "missing"


@dataclass
class Difference:
    test: str
    bare: Counter = field(default_factory=Counter)
    guarded: Counter = field(default_factory=Counter)
    unsignalled: Counter = field(default_factory=Counter)
    said: str = ""  # one of the guarded failures

    @property
    def kind(self):
        if len(self.bare) > 1:
            return "flaky"
        return "signal" if self.unsignalled and self.unsignalled.keys() <= self.bare.keys() \
            else "difference"


def differing(bare, guarded):
    return sorted(test for test in bare.keys() | guarded.keys()
                  if head(bare.get(test)) != head(guarded.get(test)))


def settle(place, suite, part, bare, guarded):
    """Runs what differs in this part of the suite again; returns a Difference for each."""
    found = {test: Difference(test) for test in differing(bare, guarded)}

    def count(side, outcomes):
        for test, difference in found.items():
            outcome = outcomes.get(test)
            getattr(difference, side)[head(outcome)] += 1
            if side == "guarded" and head(outcome) != "passed":
                difference.said = outcome or ""

    if found:
        count("bare", bare)
        count("guarded", guarded)
        for _ in range(AGAIN):
            for side in (place.bare, place.guarded, place.unsignalled):
                count(side.name, suite.play(side, part, only=sorted(found)))
    return list(found.values())


def counts(outcomes):
    """(passed, failed, skipped)"""
    kinds = Counter(map(head, outcomes.values()))
    passed, skipped = kinds["passed"], kinds["skipped"]
    return passed, len(outcomes) - passed - skipped, skipped
