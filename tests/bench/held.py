"""100,000 open connections: what they take in memory, and how long a report of them takes.

The accepting ends are held by a bare listener, so that the guarded process has only its own.
POOLGUARD_LEAK_AFTER is set so low that every connection is judged: the dearest report.
"""
import os
import re
import signal
import subprocess
import tempfile
import time
from collections import namedtuple
from contextlib import contextmanager

from process import PATIENCE, BenchError
from table import Note, Row

ALIASES = 16  # 100,000 / 16 connections each: far from running out of ephemeral ports
LEAK_AFTER = 0.2
SUMMARY = re.compile(rb"^SUMMARY: poolguard:.*\n", re.MULTILINE)
OPEN = re.compile(rb"(\d+) open connections")

Held = namedtuple("Held", "count milliseconds why anonymous shared")


def resident(pid, field):
    """A field of /proc/PID/status, in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise BenchError(f"/proc/{pid}/status has no {field}")


def allocated(directory):
    """Bytes that the files below a directory really take."""
    return sum(os.lstat(os.path.join(root, name)).st_blocks * 512
               for root, _, names in os.walk(directory) for name in names)


def opened(program):
    count, milliseconds, why = program.line().split(" ", 2)
    if int(count) == 0:
        raise BenchError(f"no connection could be opened: {why}")
    return Held(int(count), float(milliseconds), why,
                resident(program.pid, "RssAnon"), resident(program.pid, "RssShmem"))


def seconds_until_summary(program, path, start):
    """Follows the report as it is written, until its last line is complete."""
    report = b""
    while time.monotonic() - start < PATIENCE:
        if os.path.exists(path):
            with open(path, "rb") as file:
                file.seek(len(report))
                report += file.read()
            if SUMMARY.search(report, max(0, len(report) - 4096)):
                return time.monotonic() - start, report
        if program.process.poll() is not None:
            raise BenchError(f"{program.name} {program.ending()}; no report came")
        time.sleep(0.001)
    raise BenchError(f"no complete report within {PATIENCE} s")


def report_by_signal(program, path):
    start = time.monotonic()
    os.kill(program.pid, signal.SIGUSR1)
    return seconds_until_summary(program, path, start)


def report_by_command(place, program, path, options):
    start = time.monotonic()
    with open(path, "wb") as file:
        try:
            done = subprocess.run([place.command, "report", str(program.pid)], stdout=file,
                                  stderr=subprocess.PIPE, timeout=PATIENCE, check=False,
                                  env=place.environment(False, **options))
        except OSError as error:
            raise BenchError(f"{place.command}: {error.strerror}") from error
        except subprocess.TimeoutExpired:
            raise BenchError(f"poolguard report: not done within {PATIENCE} s") from None
    taken = time.monotonic() - start
    with open(path, "rb") as file:
        report = file.read()
    if not SUMMARY.search(report):
        said = done.stderr.decode(errors="replace").strip()[-300:]
        raise BenchError(f"poolguard report: exit {done.returncode}, no SUMMARY line: {said}")
    return taken, report


def seen(report):
    """What a report says it counts, with its size."""
    match = OPEN.search(report)
    count = f"{int(match[1]):,}" if match else "?"
    return f"counts {count} open connections, {len(report):,} bytes"


@contextmanager
def holding(place, count, **how):
    """A program that holds count connections, and what it says of itself."""
    with place.start("listener", "hold", ALIASES) as listener:
        with place.start("holds100k", listener.line(), ALIASES, count, **how) as program:
            try:
                yield program, opened(program)
            finally:
                program.kill()  # no report at exit


def memory_rows(bare, held, state):
    """Of the state file either its blocks or its resident pages count, not both."""
    private = held.anonymous - bare.anonymous
    shared = max(state, held.shared - bare.shared)
    bare_ns, held_ns = (1e6 * each.milliseconds / each.count for each in (bare, held))
    yield Row(f"opening {held.count:,} connections, each", "time", bare_ns, held_ns,
              held_ns / bare_ns, None, None)
    yield Row("memory for each open connection", "bytes", None, (private + shared) / held.count,
              None, None, 400)
    yield Note(f"state file {state:,} bytes allocated, private memory {private:+,} bytes")


def report_rows(held, what, taken, report):
    yield Row(f"report of {held.count:,} {what}", "seconds", None, taken, None, None, 2.0)
    yield Note(seen(report))


class Open100k:
    name = "held"
    title = "memory and report time at 100,000 open connections"

    def measure(self, place, rounds):
        for _ in range(2):  # the first time the kernel's caches grow
            with holding(place, rounds.held) as (_, bare):
                pass
        if bare.count < rounds.held:
            yield Note(f"only {bare.count:,} connections, not {rounds.held:,}: {bare.why}")
        with tempfile.TemporaryDirectory(dir=place.scratch) as directory:
            yield from self.guarded(place, bare, directory)

    def guarded(self, place, bare, directory):
        path = os.path.join(directory, "report")
        options = {"state_dir": os.path.join(directory, "state"),
                   "leak_after": f"{LEAK_AFTER * 1000:.0f}ms"}
        os.mkdir(options["state_dir"], 0o700)
        with holding(place, bare.count, guarded=True, report=path + ".%p", **options) as (program, held):
            if not program.is_guarded():
                raise BenchError(f"{program.name}: the guard was not loaded")
            yield from memory_rows(bare, held, allocated(options["state_dir"]))
            time.sleep(2 * LEAK_AFTER)
            yield from report_rows(held, "on SIGUSR1", *report_by_signal(program, f"{path}.{program.pid}"))
            yield from report_rows(held, "by poolguard report PID",
                                   *report_by_command(place, program, path + "2", options))


BENCHES = [Open100k()]
