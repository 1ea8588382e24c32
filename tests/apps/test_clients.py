"""Real clients against real servers: the report lists what the kernel lists, with its stacks.

Adding a client is one line in matrix.py.
"""
import pytest

import truth
from agreement import assert_same, compare
from guard import Guard
from matrix import MATRIX
from process import clean_env

every_client = pytest.mark.parametrize("client", MATRIX, ids=lambda client: client.name)


@pytest.fixture
def server(client, request):
    return request.getfixturevalue(client.server)


def assert_stacks(report, patterns):
    for group in report.groups:
        for pattern in patterns:
            assert any(frame.matches(pattern) for frame in group.frames), \
                f"no frame {pattern} in the stack of {group.title}:\n{report.text}"


@every_client
def test_reports_list_exactly_the_connections_of_the_kernel(client, server, bindir, home):
    guard = Guard(home, client.signal)
    with client.start(server, bindir, guard.env(), home / "stderr") as app:
        client.get_ready(app)
        reports, kernel = compare(guard, app.pid)
        assert len(kernel) == client.count
        for how, report in reports.items():
            assert_same(report, kernel, how)
            assert_stacks(report, client.frames)
            assert report.pid == app.pid and report.leaked == 0, report.text
        if client.closes:
            client.close(app)
            reports, kernel = compare(guard, app.pid)
            assert kernel == []
            for how, report in reports.items():
                assert_same(report, kernel, how)
                assert report.leaked == 0, report.text


def test_program_without_connections_answers_the_signal(guard, scripted):
    app = scripted()
    app.ask("wait 0")
    assert guard.by_signal(app.pid).open == 0


def run_through(client, server, bindir, env, stderr):
    """All that can be seen of a run from outside."""
    with client.start(server, bindir, env, stderr) as app:
        client.get_ready(app)
        held = [len(truth.connections(app.pid))]
        if client.closes:
            client.close(app)
            held.append(len(truth.connections(app.pid)))
        status = client.finish(app, server)
        return {"connections": held, "status": status, "said": app.transcript, "stderr": app.stderr}


@every_client
def test_client_runs_as_it_does_bare_and_stderr_stays_empty(client, server, bindir, home):
    bare = run_through(client, server, bindir, clean_env(home), home / "bare")
    assert bare["connections"] == [client.count] + [0] * client.closes
    assert bare["status"] == 0 and bare["stderr"] == ""
    guarded = run_through(client, server, bindir, Guard(home).quiet_env(), home / "guarded")
    told = guarded.pop("stderr").splitlines()
    assert guarded.items() <= bare.items()
    assert len(told) == client.handles_usr1, told
    assert all(line.startswith("poolguard: ") and "SIGUSR1" in line for line in told), told
