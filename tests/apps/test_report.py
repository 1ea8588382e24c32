"""`poolguard report`, of processes in unusual states."""
from pathlib import Path

from matrix import PYTHON
from process import Program

FULL = """
import resource, select, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
watching, kept = select.epoll(), []
def watched():
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    watching.register(s, select.EPOLLIN)
    kept.append(s)
for _ in range(3):
    watched()
print("HALF", flush=True)
sys.stdin.readline()
watched()
try:
    while True:
        kept.append(socket.socket())
except OSError:
    print("FULL", flush=True)
sys.stdin.readline()
"""


def test_a_process_whose_first_thread_has_ended_is_running(guard, bindir, home, holds):
    with Program([Path(bindir) / "first_thread_ends", holds.host, holds.port], guard.env(),
                 home / "stderr") as app:
        app.expect("READY")
        found = guard.by_command(app.pid)
        assert found.open == 1 and "when the process ended" not in found.text
        [connection] = found.connections
        assert connection.state == "established" and connection.fds


EXECS = """
import os, socket, sys
kept = socket.create_connection((sys.argv[1], int(sys.argv[2])))
try:
    os.execv("/nowhere", ["nowhere"])
except OSError:
    print("FAILED", flush=True)
sys.stdin.readline()
os.execv("/bin/sh", ["sh", "-c", "kill -KILL $$"])
"""


def test_what_a_program_had_open_before_exec_is_told_as_that(guard, home, holds):
    with Program([PYTHON, "-c", EXECS, holds.host, holds.port], guard.env(), home / "stderr") as app:
        app.expect("FAILED")
        assert "started another" not in guard.by_command(app.pid).text
        app.say("")
        app.popen.wait(30)
        assert "1 connection open when the process started another program" in \
            guard.by_command(app.pid).text


def test_without_a_descriptor_left_nothing_that_epoll_may_watch_is_leaked(guard, home, holds):
    with Program([PYTHON, "-c", FULL, holds.host, holds.port], guard.env(leak_after="100ms"),
                 home / "stderr") as app:
        app.expect("HALF")
        guard.verdict(app.pid, "LEAK", "never-closed", 0)
        app.ask("", "FULL")
        text = app.stderr  # the report's file could not be opened
        assert "fd-exhausted" in text and "0 leaked" in text, text
        assert "its epoll sets could not be looked at" in text, text
