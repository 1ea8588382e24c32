"""Connections that a process did not open itself: by fork, by exec, in a message."""
import os
import signal

import pytest

import truth
from matrix import CLIENTS, PYTHON
from process import Program, until

LEAK_AFTER = "200ms"


@pytest.fixture
def hands(guard, home, holds):
    """A client that holds one connection; ended with its children."""
    started = []

    def start(**options):
        app = Program([PYTHON, CLIENTS / "hands.py"],
                      guard.env(leak_after=LEAK_AFTER, **options), home / "stderr")
        started.append(app)
        app.ask(f"open {holds.host} {holds.port}")
        return app

    yield start
    for app in started:
        for pid in app.children:
            end(pid)
        app.__exit__()


def end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def child(app, command):
    """The pid of the child that the command made."""
    app.say(command)
    pid = int(app.hear())
    app.children = getattr(app, "children", []) + [pid]
    return pid


@pytest.fixture(autouse=True)
def _children(monkeypatch):
    monkeypatch.setattr(Program, "children", [], raising=False)


def box(guard, pid):
    """The state file of a process, once it has one."""
    return until(lambda: list(guard.state.glob(f"{pid}-*.box")), f"a state file of {pid}")


def kernel(pid):
    return {(c.local, c.remote) for c in truth.connections(pid)}


def known(found):
    return {(c.local, c.remote) for c in found.connections}


# --- exec ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("how", ["spawn", "shell"])
def test_a_connection_that_exec_carried_along_untouched_is_a_leak(guard, hands, how):
    app = hands()
    pid = child(app, how)
    box(guard, pid)
    found = guard.verdict(pid, "LEAK", "exec-inherited", 1)
    [group] = found.of("LEAK")
    assert known(found) == kernel(pid) == kernel(app.pid)
    assert any(f.module.startswith("/usr/bin/python3") for f in group.frames), found.text
    assert "FD_CLOEXEC" in group.todo
    app.ask("drop")
    assert guard.by_command(app.pid).open == 0
    assert guard.by_signal(pid).leaked == 1, "the child still holds it"


@pytest.mark.parametrize("how", ["touch", "stdin"])
def test_what_the_started_program_was_given_on_purpose_is_no_leak(guard, hands, how):
    app = hands()
    pid = child(app, how)
    box(guard, pid)
    assert until(lambda: "idle 2" in guard.by_command(pid).text or
                 "idle 3" in guard.by_command(pid).text, "the time to be called a leak")
    for found in guard.both(pid).values():
        assert found.leaked == 0 and len(found.of("INHERITED")) == 1, found.text
        assert known(found) == kernel(pid)


def test_a_program_that_inherits_nothing_has_no_state_file(guard, home):
    with Program(["/usr/bin/sleep", "1000"], guard.env(), home / "stderr") as app:
        run = until(lambda: b"libpoolguard" in (home / "..").joinpath(
            f"/proc/{app.pid}/maps").read_bytes(), "the library to be loaded")
        assert run and list(guard.state.glob("*.box")) == []


# --- fork ----------------------------------------------------------------------------------------

def test_a_forked_child_shows_who_opened_what_it_inherited(guard, hands):
    app = hands()
    pid = child(app, "fork")
    for found in guard.both(pid).values():
        [inherited] = found.of("INHERITED")
        assert "before fork()" in inherited.evidence[0] and inherited.frames, found.text
        assert found.leaked == 0 and len(found.of("OPEN")) == 1
        assert known(found) == kernel(pid)
    assert (guard.home / f"r.{pid}").exists(), "its report has its own pid in the name"


# Nothing that concerns us happens between the two.
AFTER_VFORK = """
import os, signal, socket, subprocess, sys
subprocess.run(["/bin/true"])
pid = os.fork()
if pid == 0:
    kept = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    print(os.getpid(), flush=True)
    while True:
        signal.pause()
os.waitpid(pid, 0)
"""


def test_a_child_that_is_forked_after_a_vfork_is_a_process_of_its_own(guard, home, holds):
    with Program([PYTHON, "-c", AFTER_VFORK, holds.host, holds.port], guard.env(),
                 home / "stderr") as app:
        pid = int(app.hear())
        try:
            for found in guard.both(pid).values():
                assert known(found) == kernel(pid) and len(found.of("OPEN")) == 1, found.text
        finally:
            end(pid)


# --- messages ------------------------------------------------------------------------------------

def test_a_connection_can_be_handed_over_in_a_message(guard, hands):
    app = hands()
    pid = child(app, "send")
    box(guard, pid)
    for found in guard.both(pid).values():
        [received] = found.of("INHERITED")
        assert "SCM_RIGHTS" in received.evidence[0] and received.frames, found.text
        assert known(found) == kernel(pid) and found.leaked == 0
    for found in guard.both(app.pid).values():
        [connection] = found.connections
        assert "sent to another process" in connection.rest
    app.ask("drop")
    assert guard.by_command(app.pid).open == 0 and guard.by_command(pid).open == 1


# --- follow_children -----------------------------------------------------------------------------

def test_children_are_left_alone_when_asked(guard, hands):
    app = hands(follow_children="off")
    forked, started = child(app, "fork"), child(app, "touch")
    assert guard.by_command(app.pid).open == 1
    assert [int(path.stem.split("-")[0]) for path in guard.state.glob("*.box")] == [app.pid]
    maps = open(f"/proc/{started}/maps").read()
    assert "libpoolguard" not in maps
    assert kernel(forked) and kernel(started)
