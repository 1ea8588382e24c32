"""Faults made on purpose, and the verdict that each must get; and health, which must get none."""
import re
import time

import psycopg2
import pytest

import report
from matrix import CLIENTS, PYTHON
from process import Program, until

LEAK_AFTER = "300ms"


def address(server):
    return f"{server.host}:{server.port}"


def open_many(app, server, count):
    for _ in range(count):
        app.ask(f"open {server.host} {server.port}")


def assert_leaks(guard, app, cls, host, count):
    """The verdict comes, and both ways to ask agree on it."""
    guard.verdict(app.pid, "LEAK", cls, count)
    for found in guard.both(app.pid).values():
        groups = found.of("LEAK")
        assert {(g.cls, g.host) for g in groups} == {(cls, host)}, found.text
        assert sum(g.count for g in groups) == sum(len(g.connections) for g in groups) == count
        assert found.leaked == int(found.hosts[host]["leaked"]) == count, found.text
        assert all(g.frames and g.evidence and g.todo for g in groups), found.text
        assert re.search(rf"\b{count} leaked connection", found.summary), found.text


def assert_no_leaks(guard, app):
    for found in guard.both(app.pid).values():
        assert found.leaked == 0 and found.of("LEAK") == [], found.text


def test_connections_closed_by_the_server_first_are_peer_closed(guard, scripted, closes_first):
    app = scripted(leak_after=LEAK_AFTER)
    open_many(app, closes_first, 5)
    app.ask("read")
    assert_leaks(guard, app, "peer-closed", address(closes_first), 5)
    app.ask("drop 2")
    assert_leaks(guard, app, "peer-closed", address(closes_first), 3)
    app.ask("drop 3")
    assert_no_leaks(guard, app)


def test_connections_of_terminated_postgres_backends_are_peer_closed(guard, home, postgres):
    with Program([PYTHON, CLIENTS / "python_psycopg2.py", postgres.host, postgres.port],
                 guard.env(leak_after=LEAK_AFTER), home / "stderr") as app:
        app.expect("READY")
        end_backends(postgres)
        assert_leaks(guard, app, "peer-closed", address(postgres), 5)
        app.ask("close", "CLOSED")
        assert_no_leaks(guard, app)


def end_backends(postgres):
    admin = psycopg2.connect(host=postgres.host, port=postgres.port, user="postgres",
                             dbname="postgres")
    with admin.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(pid) from pg_stat_activity"
                       " where pid <> pg_backend_pid() and backend_type = 'client backend'")
    admin.close()


def test_refused_connects_with_the_fd_kept_are_connect_failed(guard, scripted, refused):
    host, port = refused
    app = scripted(leak_after=LEAK_AFTER)
    for _ in range(3):
        app.ask(f"fail {host} {port}", "ECONNREFUSED")
    found = guard.verdict(app.pid, "LEAK", "connect-failed", 3)
    assert {g.host for g in found.of("LEAK")} == {f"{host}:{port}"}
    app.ask("drop 3")
    assert_no_leaks(guard, app)


def test_connections_passed_over_by_their_own_call_site_are_never_closed(guard, scripted, holds):
    app = scripted(leak_after=LEAK_AFTER)
    for _ in range(5):
        open_many(app, holds, 1)
        app.ask("wait 100")  # a clock, not an event: it lies idle for more than leak_after / 10
    # nothing was opened after the fifth
    assert_leaks(guard, app, "never-closed", address(holds), 4)
    app.ask("drop 5")
    assert_no_leaks(guard, app)


@pytest.mark.parametrize("program, server", [("healthy_session.py", "nginx"),
                                             ("healthy_pg_pool.py", "postgres")])
def test_healthy_pools_get_no_verdict(guard, home, request, program, server):
    server = request.getfixturevalue(server)
    with Program([PYTHON, CLIENTS / program, server.host, server.port],
                 guard.env(leak_after="1s"), home / "stderr") as app:
        app.expect("READY")
        assert_no_leaks_for(guard, app, 2.5)
        app.ask("close", "CLOSED")
        assert_no_leaks(guard, app)


def test_an_idle_redis_cli_gets_no_verdict(guard, home, redis):
    with Program(["redis-cli", "-h", redis.host, "-p", redis.port],
                 guard.env(leak_after=LEAK_AFTER), home / "stderr") as app:
        app.ask("PING", "PONG")
        assert_no_leaks_for(guard, app, 1)
        app.ask("PING", "PONG")


def assert_no_leaks_for(guard, app, seconds):
    """Asks again and again for a time that is several times leak_after."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert_no_leaks(guard, app)


@pytest.mark.parametrize("pattern", ["class:peer-closed", "host:127.0.0.1:{port}",
                                     "leak:*/python3*", "leak:_PyEval_EvalFrameDefault"])
def test_suppressed_groups_are_left_out_and_said_to_be(guard, scripted, home, closes_first,
                                                       pattern):
    (home / "supp").write_text(f"# known\n{pattern.format(port=closes_first.port)}\n")
    guarded = scripted(leak_after=LEAK_AFTER, suppressions=home / "supp")
    open_many(guarded, closes_first, 2)
    guarded.ask("read")
    found = until(lambda: next((r for r in [guard.by_command(guarded.pid)]
                                if "suppress" in r.text.lower()), None),
                  "a report that says that something was suppressed", deadline=10, pause=0.05)
    assert found.leaked == 0 and found.of("LEAK") == [], found.text
    assert_no_leaks(guard, guarded)


def test_suppressions_that_do_not_match_leave_the_leaks(guard, scripted, home, closes_first):
    (home / "supp").write_text("class:body-unread\nhost:10.*\nleak:no_such_function\n")
    app = scripted(leak_after=LEAK_AFTER, suppressions=home / "supp")
    open_many(app, closes_first, 2)
    app.ask("read")
    assert_leaks(guard, app, "peer-closed", address(closes_first), 2)


LIMITED = ["/bin/bash", "-c", 'ulimit -n 20; exec "$@"', "bash"]


def test_running_out_of_descriptors_reports_by_itself_once(guard, scripted, holds):
    app = scripted(wrapper=LIMITED, env=guard.quiet_env(leak_after="1h"))
    app.ask(f"exhaust {holds.host} {holds.port}", "EMFILE")
    found = until(lambda: report.parse(app.stderr), "a report by itself")
    assert len(found.of("RISK", "fd-exhausted")) == 1, found.text
    assert found.open >= 10 and found.leaked == 0, found.text
    app.ask("exhaust 127.0.0.1 1", "EMFILE")
    assert app.stderr.count("SUMMARY:") == 1, "once a minute at most"


def test_without_a_descriptor_for_its_file_the_report_goes_to_stderr(guard, scripted, holds):
    app = scripted(wrapper=LIMITED, env=guard.env(leak_after="1h"))
    app.ask(f"exhaust {holds.host} {holds.port}", "EMFILE")
    found = until(lambda: report.parse(guard.reports(app.pid) + app.stderr), "a report by itself")
    assert len(found.of("RISK", "fd-exhausted")) == 1, found.text
    if not guard.reports(app.pid):
        line = app.stderr.splitlines()[0]
        assert line.startswith("poolguard: ") and f"r.{app.pid}" in line, "it says why"
