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
FULL = Rounds(pairs=10, rounds=15, held=100_000)
QUICK = Rounds(pairs=3, rounds=8, held=100_000)
WARM_UP = 2  # rounds of each process that do not count

CPUS = sorted(os.sched_getaffinity(0))


class Times:
    """Nanoseconds of one operation, round by round; bare[i] and guarded[i] are neighbours."""

    def __init__(self):
        self.bare = []
        self.guarded = []

    def best(self):
        return min(self.guarded) / min(self.bare)

    def median(self):
        return statistics.median(g / b for b, g in zip(self.bare, self.guarded))


def measure_pair(bare, guarded, rounds, times):
    """Runs rounds of both in turn; who goes first changes with each."""
    for _ in range(WARM_UP):
        bare.round()
        guarded.round()
    for number in range(rounds):
        taken = {}
        for program in (bare, guarded) if number % 2 == 0 else (guarded, bare):
            taken[program] = program.round()
        times.bare.append(taken[bare])
        times.guarded.append(taken[guarded])


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
        times = Times()
        with ExitStack() as stack:
            port = self.listen(place, stack) if "{port}" in self.command else ""
            command = [word.format(port=port) for word in self.command]
            cpu = CPUS[-1] if self.pinned else None
            for _ in range(rounds.pairs):
                with place.start(*command, cpu=cpu) as bare, \
                     place.start(*command, cpu=cpu, guarded=not self.control) as guarded:
                    measure_pair(bare, guarded, rounds.rounds, times)
                    if guarded.is_guarded() == self.control or bare.is_guarded():
                        raise BenchError(f"{bare.name}: the guard is not where it should be")
        return times

    def measure(self, place, rounds):
        times = self.times(place, rounds)
        yield Row(self.title, "time", min(times.bare), min(times.guarded), times.best(),
                  times.median(), self.goal)


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
        yield Row(self.loop(1).title, "time", min(one.bare), min(one.guarded), one.best(),
                  one.median(), None)
        yield Row(self.loop(8).title, "time", min(eight.bare), min(eight.guarded), eight.best(),
                  eight.median(), None)
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
    Loop("tls-16k", "SSL_write+SSL_read of 16 KiB, TCP", None, "tls_data", "16384"),
    Loop("tls-1", "SSL_write+SSL_read of 1 byte, TCP", None, "tls_data", "1"),
    Loop("tls-connect", "TLS connect+handshake+free+close, both ends", None, "tls_connect"),
    Loop("thread", "a new thread for each connection", 1.15, "thread_connect", "{port}"),
    Loop("exec", "posix_spawn of /bin/true", 1.10, "spawn_true", pinned=False),
    Scaling(),
    Loop("noise", "noise: connect loop, bare against bare", None, *connects(12), control=True),
    Loop("noise-rw", "noise: socketpair loop, bare against bare", None,
         "write_read", "socketpair", control=True),
]
