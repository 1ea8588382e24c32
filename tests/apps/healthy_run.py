"""Runs the healthy all at once: starts each under its own guard, lets all rest together, asks for
reports again and again, lets them end, and keeps what was said of each."""
import re
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import json_report
import report
from guard import Guard
from process import Program, clean_env, until
from scene import children

STARTING, ASKING = 10, 3  # at a time
RESTS = 4  # times leak_after, at least
CLOSELY = 25  # more reports


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s)", text).groups()
    return int(number) * {"ms": 0.001, "s": 1}[unit]


@dataclass
class Told:
    """One report: of which process, how it was asked for, and how long that had been at rest."""
    pid: int
    how: str
    rested: float
    report: report.Report


@dataclass
class Outcome:
    told: list = field(default_factory=list)
    json: list = field(default_factory=list)
    at_exit: list = field(default_factory=list)
    failure: str = ""  # of the program itself, or of the way to ask it
    stderr: str = ""


class Running:
    """One case. `program` is what is talked to; it is what is guarded, too, but for proxies."""

    def __init__(self, case, place, known):
        self.case, self.place, self.outcome, self.since = case, place, Outcome(), None
        place.mkdir()
        self.guard = Guard(place, "PWR")  # nobody uses that one
        env = self.guard.env(leak_after=case.leak_after, report_at_exit="always")
        self.program = self.start(known, env)

    def start(self, known, env):
        return Program(self.case.command(known), env, self.place / "stderr")

    @property
    def pid(self):
        return self.program.pid

    def get_ready(self):
        if self.case.ready:
            while (line := self.program.hear()) != self.case.ready:
                assert line is not None, f"it ended after {self.program.transcript}"
        until(lambda: self.guard.ask(self.pid).returncode == 0, "the first connection")
        self.since = time.monotonic()

    @property
    def pids(self):
        """Of forked children, only one that has a connection of its own can be asked."""
        forked = children(self.pid) if self.case.forks else []
        return [self.pid, *(pid for pid in forked if self.guard.ask(pid).returncode == 0)]

    @property
    def rested(self):
        return time.monotonic() - self.since

    def take(self, pid, how):
        rested = self.rested
        ask = {"signal": self.guard.by_signal, "command": self.guard.by_command}[how]
        self.outcome.told.append(Told(pid, how, rested, ask(pid)))

    def ask(self):
        for pid in self.pids:
            for how in ("command", "signal"):
                self.take(pid, how)

    def ask_by_command(self):
        self.take(self.pid, "command")

    def ask_last(self):
        """By now it has rested for long enough."""
        self.ask()
        for pid in self.pids:
            self.outcome.json += json_report.reports(self.guard.printed(pid, "json"))

    def finish(self):
        if self.case.ends:
            before = self.guard.reports(self.pid)
            self.end()
            last = self.guard.reports(self.pid)[len(before):]
            assert last or self.case.proxy, "no report at exit"
            self.outcome.at_exit += [report.parse(last)] if last else []

    def end(self):
        self.program.say("end")
        status = self.program.finish()
        assert status == 0, f"status {status}"

    def stop(self):
        self.program.__exit__()
        self.outcome.stderr = self.program.stderr

    def attempt(self, what):
        """Nothing more is asked of one that has failed."""
        if self.outcome.failure:
            return
        try:
            what()
        except Exception as error:
            self.outcome.failure = f"{what.__name__}: {error!r}\n{self.program.stderr}"


class RunningProxy(Running):
    """A guarded proxy, and a bare program that talks to it."""

    def start(self, known, env):
        self.proxy = self.case.proxy(env, known)
        front = {"host": self.proxy.host, "port": self.proxy.fronts[0]}
        front["url"] = "http://{host}:{port}".format(**front)
        return Program(self.case.command({**known, **front}), clean_env(self.place),
                       self.place / "stderr")

    @property
    def pid(self):
        return self.proxy.pid

    def end(self):
        super().end()
        self.proxy.stop()

    def stop(self):
        super().stop()
        self.proxy.stop()


def in_parallel(started, what):
    with ThreadPoolExecutor(ASKING) as pool:
        list(pool.map(lambda one: one.attempt(getattr(one, what)), started))


def start(running):
    """Takes them from a generator that starts them, a few at a time, until all are ready; each is
    asked as soon as it is."""
    started, waiting = [], deque()

    def await_one(asking):
        first = waiting.popleft()
        first.attempt(first.get_ready)
        asking.submit(first.attempt, first.ask)

    try:
        with ThreadPoolExecutor(1) as asking:
            for one in running:
                started.append(one)
                waiting.append(one)
                if len(waiting) == STARTING:
                    await_one(asking)
            while waiting:
                await_one(asking)
    except BaseException:
        stop(started)
        raise
    return started


def rest(started):
    """A clock, not an event: until each has rested for several times its leak_after."""
    in_parallel(started, "ask")
    for _ in range(CLOSELY):
        in_parallel([one for one in started if one.case.closely], "ask_by_command")
    for one in started:
        if not one.outcome.failure:
            time.sleep(max(0, RESTS * seconds(one.case.leak_after) - one.rested))
    in_parallel(started, "ask_last")


def stop(started):
    for one in started:
        one.stop()


def run(running):
    """The outcome of each, by its name."""
    started = start(running)
    try:
        rest(started)
        in_parallel(started, "finish")
    finally:
        stop(started)
    return {one.case.name: one.outcome for one in started}
