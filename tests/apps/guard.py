"""The library and the command as a user has them: an environment, a signal, `poolguard report`."""
import os
import signal
import subprocess
from pathlib import Path

import report
from process import DEADLINE, clean_env, until

BUILD = Path(os.environ.get("POOLGUARD_BUILD", Path(__file__).resolve().parents[2] / "build"))


class Guard:
    """One guarded run's files below a temp dir: state/, and r.PID for its reports."""

    def __init__(self, home, sig="USR1"):
        self.home, self.signal = Path(home), getattr(signal, "SIG" + sig)
        self.lib, self.command = BUILD / "libpoolguard.so", BUILD / "poolguard"
        for path in (self.lib, self.command):
            assert path.exists(), f"{path} is missing: run make first"
        self.state = self.home / "state"
        self.state.mkdir(mode=0o700, exist_ok=True)

    def quiet_env(self, **options):
        """Only what the guard needs to run; options by their names: leak_after="300ms"."""
        named = {"POOLGUARD_" + name.upper(): value for name, value in options.items()}
        return clean_env(self.home, LD_PRELOAD=self.lib, POOLGUARD_STATE_DIR=self.state,
                         **named)

    def env(self, **options):
        """The same with reports to a file, and the signal named."""
        options = {"report": self.home / "r.%p", "signal": self.signal.name[3:], **options}
        return self.quiet_env(**options)

    def reports(self, pid):
        """All that was reported into the process's file so far."""
        path = self.home / f"r.{pid}"
        return path.read_text(errors="replace") if path.exists() else ""

    def by_signal(self, pid):
        """The report that the process writes on the signal."""
        before = len(self.reports(pid))
        os.kill(pid, self.signal)
        return until(lambda: report.parse(self.reports(pid)[before:]),
                     f"a report of {pid} by signal")

    def ask(self, *words, **env):
        """What `poolguard report` with these words does."""
        env = clean_env(self.home, POOLGUARD_STATE_DIR=self.state, **env)
        return subprocess.run([self.command, "report", *map(str, words)], env=env, timeout=DEADLINE,
                              capture_output=True, text=True, errors="replace")

    def printed(self, pid, form="text"):
        run = self.ask(f"--format={form}", pid)
        assert run.returncode == 0, f"poolguard report: status {run.returncode}\n{run.stderr}"
        return run.stdout

    def by_command(self, pid):
        """The report that `poolguard report PID` prints."""
        text = self.printed(pid)
        found = report.parse(text)
        assert found, f"no report in what poolguard report printed:\n{text}"
        return found

    def both(self, pid):
        return {"signal": self.by_signal(pid), "command": self.by_command(pid)}

    def verdict(self, pid, kind, cls, count):
        """Asks until the class has `count` connections; returns that report."""
        last = []

        def reached():
            last[:] = [self.by_command(pid)]
            return last[0] if sum(g.count for g in last[0].of(kind, cls)) == count else None

        try:
            return until(reached, f"{count} connections {kind} {cls}", deadline=10, pause=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}; the last report:\n{last[0].text}") from None
