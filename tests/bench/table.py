"""The table that is printed: aligned text, a row as soon as it is measured."""
import os
import platform
from collections import namedtuple

# unit: time (nanoseconds), seconds, bytes or factor; whatever is None prints as "-"
Row = namedtuple("Row", "title unit bare guarded best median goal added", defaults=(None,))
Note = namedtuple("Note", "text")

LAYOUT = "{:<46}{:>10}{:>10}{:>10}{:>8}{:>8}{:>9}"


def nanoseconds(value):
    for unit, size in (("ms", 1e6), ("us", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.2f} {unit}"
    return f"{value:.0f} ns"


FORMATS = {
    "time": nanoseconds,
    "seconds": lambda value: f"{value:.2f} s",
    "bytes": lambda value: f"{value:.0f} B",
    "factor": lambda value: f"x{value:.2f}",
}


def ratio(value):
    return f"x{value:.3f}"


def cell(form, value):
    return "-" if value is None else form(value)


def added(row):
    """What the guard adds; meaningless for factors."""
    if row.added is not None or row.bare is None or row.unit != "time":
        return row.added
    return row.guarded - row.bare


def goal(row):
    if row.goal is None:
        return "-"
    return "< " + FORMATS[row.unit](row.goal) if row.best is None else f"x{row.goal:.2f}"


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def print_head(rounds):
    print(f"machine: {len(os.sched_getaffinity(0))} x {processor()}, "
          f"Linux {platform.release()}, {os.confstr('CS_GNU_LIBC_VERSION')}")
    print(f"each loop: {rounds.pairs} pairs of processes, {rounds.rounds} rounds each, bare and "
          "guarded in turn")
    print("best: best guarded / best bare round; median: of the ratios of neighbouring rounds; "
          "added: of their differences\n")
    print(LAYOUT.format("", "bare", "guarded", "added", "best", "median", "goal"))


def print_row(row):
    if isinstance(row, Note):
        print(f"  ({row.text})", flush=True)
        return
    form = FORMATS[row.unit]
    print(LAYOUT.format(row.title, cell(form, row.bare), cell(form, row.guarded),
                        cell(form, added(row)), cell(ratio, row.best), cell(ratio, row.median),
                        goal(row)), flush=True)


def print_failure(name, error):
    print(f"{name}: DID NOT RUN: {error}", flush=True)


def print_foot(failed):
    print("\nbench: " + (f"did not run: {' '.join(failed)}" if failed else
                         "everything ran; ratios are for reading, none of them fails the run"))
