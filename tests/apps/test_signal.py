"""The signal that reports are written on, where the program has something to do with it."""
import os
import signal
import subprocess

import pytest

from matrix import PYTHON
from process import Program

PROGRAM = """
import os, signal, socket, sys
def restore():
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
exec(sys.argv[1])
print("LIVES")
"""
KILL_SELF = "os.kill(os.getpid(), signal.SIGUSR1)"
KILL_THREAD = "signal.raise_signal(signal.SIGUSR1)"


def status(env, code):
    return subprocess.run([PYTHON, "-c", PROGRAM, code], env=env, capture_output=True,
                          timeout=30).returncode


@pytest.mark.parametrize("code", [KILL_SELF, KILL_THREAD, f"restore(); {KILL_SELF}",
                                  f"socket.socket(); {KILL_SELF}"])
def test_a_program_that_kills_itself_by_it_dies_unless_the_user_named_the_signal(guard, code):
    assert status(guard.quiet_env(), code) == -signal.SIGUSR1
    assert status(guard.env(), code) == 0


@pytest.mark.parametrize("code", ["signal.signal(signal.SIGUSR1, signal.SIG_IGN); " + KILL_SELF,
                                  "signal.signal(signal.SIGUSR1, lambda *_: None); " + KILL_SELF])
def test_what_the_program_said_of_it_holds(guard, code):
    assert status(guard.quiet_env(), code) == status(guard.env(), code) == 0


def test_the_default_that_a_program_puts_back_is_its_own(guard, home):
    with Program([PYTHON, "-c", PROGRAM, "restore(); print('UP', flush=True); sys.stdin.read()"],
                 guard.quiet_env(), home / "stderr") as app:
        app.expect("UP")
        os.kill(app.pid, signal.SIGUSR1)
        assert app.popen.wait(30) == -signal.SIGUSR1


def test_a_program_that_never_spoke_of_it_lives_and_reports(guard, home):
    with Program([PYTHON, "-c", PROGRAM, "print('UP', flush=True); sys.stdin.read()"],
                 guard.quiet_env(report=guard.home / "r.%p"), home / "stderr") as app:
        app.expect("UP")
        assert guard.by_signal(app.pid).open == 0
        assert app.finish() == 0
