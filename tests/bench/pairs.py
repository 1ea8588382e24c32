"""Hot loops, measured in pairs of processes: one bare, one guarded, a round each in turn.

Two runs of one program differ by a percent or two for as long as they live, by where their
memory happens to lie. So each loop gets several fresh pairs, and the ratios are taken over
all of them: best of all guarded rounds against best of all bare ones, and the median of the
ratios of neighbouring rounds. The "noise" loops put bare against bare and say how far from
x1.000 a ratio may lie without meaning anything.
"""
import os
import statistics
from collections import namedtuple
from contextlib import ExitStack

from process import BenchError
from table import Row

Rounds = namedtuple("Rounds", "pairs rounds held")
FULL = Rounds(pairs=10, rounds=100, held=100_000)
QUICK = Rounds(pairs=3, rounds=40, held=100_000)
WARM_UP = 20  # rounds of each process that do not count

CPUS = sorted(os.sched_getaffinity(0))


class Side(namedtuple("Side", "command guarded options", defaults=({},))):
    """A program of a comparison: its command, with or without the guard, and the guard's options."""

    def start(self, place, cpu):
        return place.start(*self.command, guarded=self.guarded, cpu=cpu, **self.options)

    def check(self, program):
        if program.is_guarded() != self.guarded:
            raise BenchError(f"{program.name}: the guard is not where it should be")


class Times:
    """Nanoseconds of one operation, round by round; bare[i] and guarded[i] are neighbours."""

    def __init__(self, bare, guarded):
        self.bare = bare
        self.guarded = guarded

    def best(self):
        return min(self.guarded) / min(self.bare)

    def median(self):
        return statistics.median(g / b for b, g in zip(self.bare, self.guarded))

    def added(self):
        return statistics.median(g - b for b, g in zip(self.bare, self.guarded))

    def row(self, title, goal=None):
        return Row(title, "time", min(self.bare), min(self.guarded), self.best(), self.median(),
                   goal, self.added())


def take_turns(programs, rounds):
    """Runs rounds of all in turn; who goes first changes with each. Returns what each one took."""
    for _ in range(WARM_UP):
        for program in programs:
            program.round()
    taken = [[] for _ in programs]
    for number in range(rounds):
        for place in range(len(programs)):
            who = (number + place) % len(programs)
            taken[who].append(programs[who].round())
    return taken


def compare(place, sides, rounds, cpu):
    """What an operation of each side took, round by round, over several fresh processes of each."""
    taken = [[] for _ in sides]
    for _ in range(rounds.pairs):
        with ExitStack() as stack:
            programs = [stack.enter_context(side.start(place, cpu)) for side in sides]
            for all_of_side, some in zip(taken, take_turns(programs, rounds.rounds)):
                all_of_side += some
            for side, program in zip(sides, programs):
                side.check(program)
    return taken


class Loop:
    """A loop and its goal. Arguments may hold {port}: then a bare listener is started."""

    def __init__(self, name, title, goal, *command, pinned=True, aliases=1, control=False):
        self.name = name
        self.title = title
        self.goal = goal
        self.command = command
        self.pinned = pinned
        self.aliases = aliases
        self.control = control

    def listen(self, place, stack):
        """The listener gets a CPU of its own where there are two; returns its port."""
        listener = place.start("listener", "close", self.aliases,
                               cpu=CPUS[0] if self.pinned else None)
        return stack.enter_context(listener).line()

    def times(self, place, rounds):
        with ExitStack() as stack:
            port = self.listen(place, stack) if "{port}" in self.command else ""
            command = [word.format(port=port) for word in self.command]
            sides = Side(command, False), Side(command, not self.control)
            return Times(*compare(place, sides, rounds, CPUS[-1] if self.pinned else None))

    def measure(self, place, rounds):
        yield self.times(place, rounds).row(self.title, self.goal)


class Scaling:
    """How much more 8 threads get done than 1: bare, guarded, and the one against the other."""

    name = "scaling"
    title = "socket+connect+close by 8 threads against 1"

    @staticmethod
    def loop(threads):
        title = f"socket+connect+close, {threads} thread{'s' if threads > 1 else ''}"
        return Loop("", title, None, "connect_close", "{port}", "4", "12", str(threads),
                    pinned=False, aliases=4)

    def measure(self, place, rounds):
        one, eight = (self.loop(threads).times(place, rounds) for threads in (1, 8))
        bare, guarded = (min(a) / min(b) for a, b in
                         ((one.bare, eight.bare), (one.guarded, eight.guarded)))
        yield one.row(self.loop(1).title)
        yield eight.row(self.loop(8).title)
        yield Row("8 threads do so many times the work of 1", "factor", bare, guarded,
                  guarded / bare, one.median() / eight.median(), None)


def connects(depth):
    return ("connect_close", "{port}", "1", str(depth), "1")


BENCHES = [
    Loop("connect12", "socket+connect+close, 12 frames deep", 1.05, *connects(12)),
    Loop("connect28", "socket+connect+close, 28 frames deep", 1.05, *connects(28)),
    Loop("untracked", "write+read of 1 byte, socketpair (untracked)", 1.01,
         "write_read", "socketpair"),
    Loop("tracked", "write+read of 1 byte, TCP (both ends tracked)", 1.06,
         "write_read", "tcp"),
    Loop("not-http", "the same, that began as HTTP could begin", 1.06,
         "write_read", "tcp", "X"),
    Loop("tls-16k", "SSL_write+SSL_read of 16 KiB, TCP", None, "tls_data", "16384"),
    Loop("tls-1", "SSL_write+SSL_read of 1 byte, TCP", None, "tls_data", "1"),
    Loop("tls-connect", "TLS connect+handshake+free+close, both ends", None, "tls_connect"),
    Loop("thread", "a new thread for each connection", 1.15, "thread_connect", "{port}"),
    Loop("exec", "posix_spawn of /bin/true", 1.10, "spawn_true", pinned=False),
    Scaling(),
    Loop("noise", "noise: connect loop, bare against bare", None, *connects(12), control=True),
    Loop("noise-rw", "noise: socketpair loop, bare against bare", None,
         "write_read", "socketpair", control=True),
    Loop("noise-http", "noise: HTTP exchange, bare against bare", None,
         "http_exchange", "exchange", "http", "tcp", control=True),
]
