"""Looks from outside, at short intervals, whether the guard knows what the kernel knows.

For every process with a state file: the kernel's connections (/proc/PID/fd, sock_diag),
then the guard's (`poolguard report PID`), then the kernel's again. What the kernel had both times
must be in the report, with its descriptors; what is in the report must be the kernel's at one of
the times. The process is never touched: no signal, no stop.

A socket is missing for a moment while its process is between the system call and the guard's note
of it (or between the note and close()), and may live and end between the looks: only what is still
wrong when looked at again is a violation. What the guard itself counts as "not seen being opened" is
counted apart.
"""
import json
import os
import re
import select
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "apps"))

import kernel
import report
from guard import Guard
from process import clean_env

PAUSE = 0.01
LOOKS = 3  # before something wrong is a violation
TICK = os.sysconf("SC_CLK_TCK")
BOX = re.compile(r"(\d+)-\d+\.box")


class Process(NamedTuple):
    """A program that runs in a process; after exec() it is another one."""
    pid: int
    start: float  # on the clock of now()
    box: int      # inode of its state file
    image: bytes  # the auxiliary vector: kept by fork(), new (random addresses) with exec()


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def identify(pid, box):
    """The Process whose state file is `box`; None when that is not mapped (any more)."""
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
            if not any(line.rstrip().endswith(f" {box}") for line in maps):
                return None
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            start = int(stat.read().rsplit(")", 1)[1].split()[19]) / TICK
        with open(f"/proc/{pid}/auxv", "rb") as auxv:
            return Process(pid, start, box.stat().st_ino, auxv.read())
    except OSError:
        return None


@dataclass
class Look:
    """What one look at the kernel gave: {Held: fds}, and the descriptors of all sockets."""
    held: dict
    sockets: set


def look(pid):
    return Look(*kernel.look(pid))


def missing(before, told, after):
    """Connections that the kernel had all the time and the report has not, or under other fds."""
    listed = {(c.local, c.remote): c.fds for c in told.connections}
    for socket, fds in before.held.items():
        if after.held.get(socket) != fds:
            continue
        shown = listed.get(socket[1:])
        if shown is None or not shown <= fds:
            yield socket


def invented(before, told, after):
    """Connections of the report that the kernel never had; one that is closed is a socket only."""
    held = {socket[1:] for look in (before, after) for socket in look.held}
    sockets = before.sockets | after.sockets
    for c in told.connections:
        if (c.local, c.remote) not in held and not (c.state == "close" and c.fds <= sockets):
            yield c


@dataclass
class Tally:
    samples: int = 0
    connections: int = 0
    moments: int = 0
    came_in: int = 0
    violations: list = field(default_factory=list)


class Sampler:
    """Looks at every process of a guard, until it is told that it is over."""

    def __init__(self, guard, log):
        self.guard, self.log, self.tally = guard, log, Tally()
        self.first = {}  # inode -> (Process that was first seen with it, when)
        self.came_in = set()
        self.env = clean_env(guard.home, POOLGUARD_STATE_DIR=guard.state)

    def run(self, over):
        """`over` is a file that becomes readable at the end."""
        print("looking", flush=True)
        pause = PAUSE
        while not select.select([over], [], [], pause)[0]:
            began = now()
            self.look_around()
            pause = max(PAUSE, (now() - began) / 2)
        self.tally.came_in = len(self.came_in)
        return self.tally

    def look_around(self):
        """Looks at every process once."""
        for box in self.guard.state.iterdir():
            if pid := BOX.fullmatch(box.name):
                self._visit(box, int(pid.group(1)))

    def ask(self, pid):
        run = subprocess.run([self.guard.command, "report", str(pid)], env=self.env, text=True,
                             capture_output=True, errors="replace", check=False)
        try:
            return report.parse(run.stdout), run.stderr.strip()
        except ValueError as error:  # a process that has ended may leave a record half made
            return None, str(error)

    def _visit(self, box, pid):
        process = identify(pid, box)
        wrong = self._judge(process, box) if process else {}
        looks = 1
        while wrong and looks < LOOKS:
            time.sleep(PAUSE * looks)
            still = self._judge(process, box)
            self.tally.moments += len(wrong.keys() - still.keys())
            wrong = {key: still[key] for key in wrong.keys() & still.keys()}
            looks += 1
        for what, told in wrong.values():
            self._violation(pid, what, told.text if told else "")

    def _sample(self, process, box):
        """The kernel's connections, the guard's, the kernel's again; None when it has ended."""
        try:
            before = look(process.pid)
            told, complaint = self.ask(process.pid)
            after = look(process.pid)
        except OSError:
            return None
        if identify(process.pid, box) != process:
            return None
        if not told:
            return None, complaint, None
        for socket in before.held:
            self.first.setdefault(socket.inode, (process, now()))
        self.tally.samples += 1
        self.tally.connections += len(told.connections)
        return before, told, after

    def is_newcomer(self, process, socket):
        """Whether it was another program's first, and did not come by fork()."""
        holder, seen = self.first[socket.inode]
        forked = holder.image == process.image and seen < process.start
        return holder != process and not forked

    def _judge(self, process, box):
        """{what identifies it: (what is wrong, the report)}"""
        sample = self._sample(process, box)
        if not sample:
            return {}
        before, told, after = sample
        if not before:  # the process may be setting up its state file at this moment
            return {"report": (f"no report: {told}", None)}
        wrong = {}
        for socket in missing(before, told, after):
            if self.is_newcomer(process, socket):
                self.came_in.add((process, socket))
            else:
                fds = sorted(before.held[socket])
                wrong[socket] = f"the report lacks {socket} fds {fds}", told
        for c in invented(before, told, after):
            wrong[c.local, c.remote] = f"the kernel has no {c.local} -> {c.remote} {c.state}", told
        return wrong

    def _violation(self, pid, what, text):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                command = f.read().replace(b"\0", b" ").decode(errors="replace")[:200]
        except OSError:
            command = "?"
        self.tally.violations.append(what)
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"pid {pid}: {command}\n{what}\n{text}\n")


class Sampling:
    """A sampler as a process beside the run that it watches: use it in a with statement. `tally`
    is what it saw."""

    def __init__(self, guard, log):
        self.argv = [sys.executable, __file__, guard.home, log]
        self.popen = self.tally = None

    def __enter__(self):
        self.popen = subprocess.Popen([str(arg) for arg in self.argv], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        self.popen.stdout.readline()
        return self

    def __exit__(self, *_):
        said = self.popen.communicate()[0]
        self.tally = Tally(**json.loads(said)) if said else Tally(violations=["the checker failed"])


if __name__ == "__main__":
    print(json.dumps(asdict(Sampler(Guard(sys.argv[1]), sys.argv[2]).run(sys.stdin))))
