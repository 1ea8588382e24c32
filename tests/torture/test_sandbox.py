"""A filter that kills for a system call that is not the program's own: none of ours is made."""
import signal
import time

import pytest

FILTERS = ["prctl", "syscall", "tsync", "strict"]


def session(app, how, signals):
    """What it says and how it ends, while these signals come."""
    app.expect("READY")
    for sig in signals:
        app.popen.send_signal(sig)
    for _ in range(3):
        app.ask("")
    return app.finish(), app.transcript


@pytest.mark.parametrize("first", [[], ["first"]], ids=["without", "with"])
@pytest.mark.parametrize("how", FILTERS)
def test_a_program_lives_on_in_its_sandbox(start, loop, how, first):
    signals = [] if how == "strict" else [signal.SIGUSR1, signal.SIGUSR2] * 3
    until = time.monotonic() + loop
    while True:
        app = start("sandbox", how, *first, leak_after="1ms", report_at_exit="always")
        assert session(app, how, signals)[0] == 7 and app.stderr == ""
        app.__exit__()
        if time.monotonic() > until:
            return


@pytest.mark.parametrize("how", FILTERS)
def test_the_program_can_do_bare_what_it_does_guarded(start, how):
    app = start("sandbox", how, "first", guarded=False)
    assert session(app, how, [] if how == "strict" else [signal.SIGUSR2])[0] == 7
