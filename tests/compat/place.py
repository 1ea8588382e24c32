"""Where a suite runs, bare or guarded: fresh directories, a clean environment, an ordinary user.

As root, everything runs as `nobody`: many tests make no sense as root, and a guarded program is
an ordinary user's. The guard has its default options; only its reports go to a file, so that what
a program writes to stderr stays the same.
"""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from guard import Guard
from process import clean_env, die_with_parent

SHM = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Side:
    """One way to run programs: `home` is theirs to write in; only the guarded side has a guard."""

    def __init__(self, name, home, guarded, **options):
        self.name, self.home, self.options = name, home, options
        self.home.mkdir()
        self.guard = Guard(self.home) if guarded else None
        if guarded:  # where any user may read it
            self.guard.lib = shutil.copy(self.guard.lib, self.home)
        self.user = self._unprivileged()
        for path in (self.home, *self.home.iterdir()):
            self.give(path)

    @staticmethod
    def _unprivileged():
        if os.getuid() != 0:
            return {}
        who = pwd.getpwnam("nobody")
        return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}

    def give(self, path):
        if self.user:
            os.chown(path, self.user["user"], self.user["group"])

    def fresh(self):
        """A new directory of the programs'; its path is as long on every side."""
        path = Path(tempfile.mkdtemp(dir=self.home))
        self.give(path)
        return path

    def env(self, cwd, **extra):
        if not self.guard:
            return clean_env(cwd, TMPDIR=cwd, **extra)
        env = self.guard.quiet_env(report=self.home / "r.%p", **self.options)
        return {**env, **clean_env(cwd, TMPDIR=cwd, **extra)}

    def start(self, argv, cwd, log, stdin=subprocess.DEVNULL, **extra):
        """Starts a program as leader of a group of its own; its output goes to the file `log`."""
        with open(log, "ab") as out:
            return subprocess.Popen(
                [str(arg) for arg in argv], cwd=cwd, env=self.env(cwd, **extra), stdin=stdin,
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                preexec_fn=die_with_parent(), **self.user)

    def call(self, argv, cwd, timeout=60, **extra):
        """Runs a program to its end; returns (exit status, what it wrote to stdout)."""
        run = subprocess.run([str(arg) for arg in argv], cwd=cwd, env=self.env(cwd, **extra),
                             stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             errors="replace", timeout=timeout, **self.user)
        return run.returncode, run.stdout

    def has_reported(self, pid):
        return (self.home / f"r.{pid}").exists()


def ended(popen, timeout):
    """Waits for a program, and ends its group at the deadline. Returns its status, or "timeout"."""
    try:
        return popen.wait(timeout)
    except subprocess.TimeoutExpired:
        os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()
        return "timeout"


class Place:
    """The sides of one run, below a temp dir in memory that goes away with it."""

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="poolguard-", dir=SHM))
        self.root.chmod(0o755)
        self.bare = Side("bare", self.root / "0", False)
        self.guarded = Side("guarded", self.root / "1", True)
        self.unsignalled = Side("unsignalled", self.root / "2", True, signal="0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)
