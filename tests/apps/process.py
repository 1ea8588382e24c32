"""Starts programs and talks to them by lines; every wait has a deadline.

A program dies with the test run whatever happens: by the context manager in the ordinary case, by
the kernel (PR_SET_PDEATHSIG) when pytest itself is killed.
"""
import ctypes
import os
import select
import signal
import subprocess
import time
from pathlib import Path

DEADLINE = float(os.environ.get("APPS_DEADLINE", "30"))
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def die_with_parent(sig=signal.SIGKILL):
    """A preexec_fn: the kernel sends `sig` to the child when we end."""
    return lambda: libc.prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0)


def clean_env(home, **extra):
    """An environment without proxies, preloads, locales or options of whoever runs the tests."""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8",
           "PYTHONDONTWRITEBYTECODE": "1"}
    env.update({name: str(value) for name, value in extra.items()})
    return env


def until(condition, what, deadline=DEADLINE, pause=0.01):
    """Polls condition() and returns its first true value; fails after the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline} s: {what}")
        time.sleep(pause)


class Program:
    """One run of a client: lines in, lines out, stderr kept in a file."""

    def __init__(self, argv, env, stderr):
        self.stderr_path = Path(stderr)  # beside it, the program may leave files of its own
        with open(stderr, "wb") as err:
            self.popen = subprocess.Popen(
                [str(arg) for arg in argv], env=env, cwd=self.stderr_path.parent,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err,
                preexec_fn=die_with_parent())
        self.pid = self.popen.pid
        self.pending = b""
        self.transcript = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.popen.kill()
        self.popen.wait()
        self.popen.stdin.close()
        self.popen.stdout.close()

    @property
    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    def say(self, line):
        os.write(self.popen.stdin.fileno(), line.encode() + b"\n")

    def hear(self):
        """The next line of its stdout; None at the end of the stream."""
        end = time.monotonic() + DEADLINE
        while b"\n" not in self.pending:
            if not self._read_more(end):
                return None
        line, self.pending = self.pending.split(b"\n", 1)
        self.transcript.append(line.decode(errors="replace"))
        return self.transcript[-1]

    def _read_more(self, end):
        out = self.popen.stdout.fileno()
        if not select.select([out], [], [], max(0, end - time.monotonic()))[0]:
            raise AssertionError(f"silent for {DEADLINE} s after {self.transcript}\n{self.stderr}")
        data = os.read(out, 65536)
        self.pending += data
        return bool(data)

    def expect(self, word):
        line = self.hear()
        assert line == word, f"expected {word!r}, got {line!r}\nstderr: {self.stderr}"

    def ask(self, line, answer="OK"):
        self.say(line)
        self.expect(answer)

    def finish(self):
        """Closes its stdin, reads what it still says, and returns its exit status."""
        self.popen.stdin.close()
        while self.hear() is not None:
            pass
        return self.popen.wait(DEADLINE)
