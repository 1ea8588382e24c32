"""The table of results: what a suite came to on each side, and what was seen meanwhile.

Nothing in it changes from run to run unless something has changed: no dates, no times, and the
number of samples as an order of magnitude.
"""
from dataclasses import dataclass, field

from outcomes import AGAIN, counts, head

HEAD = """# Other people's tests, bare and guarded

Written by `make compat`; do not edit. Each test ran without the guard and with it, default options,
as an ordinary user. During the guarded run a checker compared the guard's open connections with
the kernel's: *samples* of processes, *violations* where they were not the same.

| suite | tests | bare: passed, failed, skipped | guarded | differ | by signal | flaky | samples | unseen | violations |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""
NOTES = f"""
*Differ*: outcomes that the guard changes. *By signal*: tests that want SIGUSR1's default action, to
kill; the guard writes its report on it, and with `POOLGUARD_SIGNAL=0` the outcome is as bare.
*Flaky*: the outcome varies bare as well. Whatever differed was run again {AGAIN} times each way. *Unseen*:
whether there were connections that the guard did not see being opened, and counted as such. A test whose outcome is "skipped" is so on this machine and for this user.
"""


@dataclass
class Row:
    """One part of a suite."""
    title: str
    bare: dict
    guarded: dict
    differences: list
    samples: int = 0
    came_in: int = 0
    moments: int = 0
    violations: list = field(default_factory=list)

    def of(self, kind):
        return [d for d in self.differences if d.kind == kind]

    @property
    def is_good(self):
        return not self.of("difference") and not self.violations


def magnitude(n):
    """"100+" for 100 to 999."""
    return f"{10 ** (len(str(n)) - 1)}+" if n else "0"


def line(row):
    sides = [", ".join(map(str, counts(side))) for side in (row.bare, row.guarded)]
    cells = [row.title, len(row.bare), *sides,
             *(len(row.of(kind)) for kind in ("difference", "signal", "flaky")),
             magnitude(row.samples), "yes" if row.came_in else "no", len(row.violations)]
    return "| " + " | ".join(map(str, cells)) + " |\n"


def tally(outcomes):
    return ", ".join(f"{outcome} {times} of {outcomes.total()}"
                     for outcome, times in sorted(outcomes.items()))


def alike(row):
    """Tests that fail on both sides."""
    return [test for test, came in sorted(row.bare.items())
            if head(came) not in ("passed", "skipped")
            and head(row.guarded.get(test)) not in ("passed", "skipped", "missing")]


def details(rows):
    for row in rows:
        for d in row.differences:
            yield f"* {d.kind}: `{d.test}`: bare {tally(d.bare)}; guarded {tally(d.guarded)}\n"
        for test in alike(row):
            yield f"* fails on both sides: `{test}`\n"
        if row.violations:
            yield f"* {len(row.violations)} violations in {row.title}: see build/compat/violations\n"


def text(versions, rows):
    listed = "".join(details(rows))
    return (HEAD + "".join(map(line, rows)) + NOTES
            + ("\n## What differs\n\n" + listed if listed else "\nNothing differs.\n")
            + "\n## Versions\n\n" + "".join(f"* {version}\n" for version in versions))
