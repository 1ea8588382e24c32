"""Bench programs as processes: started bare or guarded, spoken to over pipes, ended by EOF."""
import os
import select
import shutil
import signal
import subprocess
import tempfile

PATIENCE = 60  # seconds without an answer before a program counts as hung


class BenchError(Exception):
    """Something did not run."""


class Place:
    """The build directory, and a directory in memory for state files and reports."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.lib = os.path.join(self.build, "libpoolguard.so")
        self.command = os.path.join(self.build, "poolguard")
        if not os.path.exists(self.lib):
            raise BenchError(f"{self.lib} is not there; run make first")
        shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.scratch = tempfile.mkdtemp(prefix="poolguard-bench-", dir=shm)
        self.state = os.path.join(self.scratch, "state")
        os.mkdir(self.state, 0o700)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def environment(self, guarded, **options):
        """The caller's environment without its guard, or with ours; and with these options."""
        clean = {name: value for name, value in os.environ.items()
                 if name != "LD_PRELOAD" and not name.startswith("POOLGUARD_")}
        if guarded:
            clean.update(LD_PRELOAD=self.lib, POOLGUARD_STATE_DIR=self.state)
        clean.update((f"POOLGUARD_{name.upper()}", value) for name, value in options.items())
        return clean

    def start(self, name, *arguments, guarded=False, cpu=None, **options):
        program = os.path.join(self.build, "bench", name)
        return Program([program, *map(str, arguments)], self, guarded, cpu, options)


class Program:
    """A running bench program. Use it in a with statement: leaving it ends the process."""

    def __init__(self, command, place, guarded, cpu, options):
        self.name = os.path.basename(command[0])
        self.errors = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                bufsize=0, env=place.environment(guarded, **options))
        except OSError as error:
            raise BenchError(f"{command[0]}: {error.strerror}") from error
        self.pid = self.process.pid
        if cpu is not None:
            os.sched_setaffinity(self.pid, {cpu})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.process.stdin.close()
            self.process.wait(PATIENCE)
        except (OSError, subprocess.TimeoutExpired):
            self.kill()
        self.process.stdout.close()
        self.errors.close()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def line(self):
        """The next line it prints, without the newline."""
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise BenchError(f"{self.name}: no answer within {PATIENCE} s")
        answer = self.process.stdout.readline()
        if not answer:
            raise BenchError(f"{self.name} {self.ending()}")
        return answer.decode().strip()

    def round(self):
        """Runs one round; returns the nanoseconds of one operation."""
        try:
            self.process.stdin.write(b"\n")
        except BrokenPipeError:
            raise BenchError(f"{self.name} {self.ending()}") from None
        return float(self.line())

    def ending(self):
        """How it ended, and the end of what it wrote to stderr."""
        status = self.process.wait(PATIENCE)
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").strip()[-300:]
        how = f"exited with {status}" if status >= 0 else f"died of {signal.Signals(-status).name}"
        return f"{how}: {said}" if said else how

    def is_guarded(self):
        with open(f"/proc/{self.pid}/maps", encoding="utf-8") as maps:
            return "libpoolguard.so" in maps.read()
