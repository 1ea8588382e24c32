"""The beginning and the end of a program: what runs before us, what runs after, and how it ends."""
import signal

import pytest

import report
from conftest import PROGRAMS, compiled
from look import assert_right, end, ready

ENDS = {"exit": 5, "_exit": 5, "_Exit": 5, "quick_exit": 5, "return": 5, "exec": 5,
        "pthread_exit": 5, "abort": -signal.SIGABRT, "kill": -signal.SIGKILL,
        "term": -signal.SIGTERM, "segv": -signal.SIGSEGV, "child": 5}


@pytest.fixture
def linked(bindir, home):
    return compiled(PROGRAMS / "early.c", home / "early", "-Wl,--no-as-needed",
                    bindir / "lib_early.so", f"-Wl,-rpath,{bindir}")


@pytest.mark.parametrize("preinit", [[], ["preinit"]], ids=["", "preinit"])
@pytest.mark.parametrize("how", ["linked", "preloaded before", "preloaded behind"])
def test_connections_of_constructors_are_known_and_those_of_destructors_no_leaks(
        guard, start, bindir, port, linked, how, preinit):
    early = bindir / "lib_early.so"
    preload = {"linked": [guard.lib], "preloaded before": [early, guard.lib],
               "preloaded behind": [guard.lib, early]}[how]
    app = start(linked if how == "linked" else "early", *preinit, leak_after="1ms", exitcode=7,
                env={"LD_PRELOAD": " ".join(map(str, preload)), "TORTURE_PORT": port})
    ready(app)
    assert_right(guard, app.pid, 2 + len(preinit))
    end(app)
    assert guard.reports(app.pid) == ""


def run(start, home, mode, **how):
    app = start("exits", mode, wrapper=["sh", "-c", 'ulimit -c 0; exec "$0" "$@"'], **how)
    if mode != "child":
        app.say("")
    return app, app.finish()


@pytest.mark.parametrize("mode", ENDS)
def test_a_program_ends_as_it_does_bare(start, home, mode):
    bare, bare_status = run(start, home, mode, guarded=False)
    app, status = run(start, home, mode, leak_after="1h", report="stderr")
    assert (status, app.transcript) == (bare_status, bare.transcript)
    assert status == ENDS[mode] and app.stderr == bare.stderr == ""


@pytest.mark.parametrize("mode", ["exit", "_exit", "_Exit", "quick_exit", "return",
                                  "pthread_exit"])
def test_leaks_are_reported_however_the_program_exits(guard, start, home, mode):
    app, status = run(start, home, mode, leak_after="1ms", grace="1ms")
    found = report.parse(guard.reports(app.pid))
    assert status == 5 and app.stderr == ""
    assert found and found.leaked == 2, guard.reports(app.pid)


def test_a_child_that_fails_to_exec_reports_nothing(guard, start, home):
    app, status = run(start, home, "child", leak_after="1ms", grace="1ms")
    assert (status, app.stderr) == (5, "")
    assert list(home.glob("r.*")) == []
