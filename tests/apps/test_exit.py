"""The end of a program: its exit status, and the report at exit."""
import pytest

import report

LEAK_AFTER = "300ms"


def leak(guard, app, server):
    """Two connections that the server closed, until they count as leaked."""
    for _ in range(2):
        app.ask(f"open {server.host} {server.port}")
    app.ask("read")
    guard.verdict(app.pid, "LEAK", "peer-closed", 2)


def end(app, status=0):
    app.say(f"exit {status}")
    return app.finish()


@pytest.mark.parametrize("own, expected", [(0, 7), (3, 3)])
def test_exitcode_with_leaks_replaces_only_success(guard, scripted, closes_first, own, expected):
    app = scripted(leak_after=LEAK_AFTER, exitcode=7)
    leak(guard, app, closes_first)
    assert end(app, own) == expected


@pytest.mark.parametrize("own", [0, 3])
def test_exitcode_without_leaks_leaves_the_status_alone(scripted, holds, own):
    app = scripted(leak_after=LEAK_AFTER, exitcode=7)
    app.ask(f"open {holds.host} {holds.port}")
    assert end(app, own) == own


def test_leaks_closed_before_the_end_are_no_leaks_at_exit(guard, scripted, closes_first):
    app = scripted(leak_after=LEAK_AFTER, exitcode=7)
    leak(guard, app, closes_first)
    app.ask("drop 2")
    assert end(app) == 0 and guard.reports(app.pid) == ""


def test_without_exitcode_leaks_do_not_change_the_status(guard, scripted, closes_first):
    app = scripted(leak_after=LEAK_AFTER)
    leak(guard, app, closes_first)
    assert end(app) == 0


@pytest.mark.parametrize("option, leaks, reported", [
    ("never", True, False), ("leaks", True, True), ("always", True, True),
    ("never", False, False), ("leaks", False, False), ("always", False, True)])
def test_report_at_exit_is_written_when_asked(guard, scripted, closes_first, option, leaks,
                                              reported):
    app = scripted(leak_after=LEAK_AFTER, report_at_exit=option)
    if leaks:
        leak(guard, app, closes_first)
    else:
        app.ask(f"open {closes_first.host} {closes_first.port}")
    assert end(app) == 0
    found = report.parse(guard.reports(app.pid))
    assert (found is not None) == reported
    if reported:
        assert found.leaked == (2 if leaks else 0), found.text


def test_report_at_exit_always_comes_from_a_program_without_connections(guard, scripted):
    app = scripted(report_at_exit="always")
    app.ask("wait 0")
    assert end(app) == 0
    assert report.parse(guard.reports(app.pid)).open == 0


def test_report_at_exit_goes_to_stderr_by_default(guard, scripted, closes_first):
    app = scripted(env=guard.quiet_env(leak_after=LEAK_AFTER))
    leak(guard, app, closes_first)
    assert end(app) == 0
    assert report.parse(app.stderr).leaked == 2
    assert app.transcript == ["OK", "OK", "OK"], "nothing of it on stdout"
