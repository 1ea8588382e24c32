"""Real clients of TLS: what a report says of each connection is what its server's log says.

Adding a client is one line in tls_matrix.py.
"""
import re
from dataclasses import replace

import pytest

import report
from agreement import assert_same, compare
from guard import Guard
from matrix import PYTHON
from process import until
from tls_agreement import assert_all_closed, assert_nothing_leaked, assert_tls
from tls_matrix import BY_MEMORY, COMMANDS, MATRIX, TlsClient, script

LEAK_AFTER = 0.1  # seconds


def every_run(clients):
    """One run for all servers of a client, or for each."""
    runs = [(client, servers) for client in clients for servers in
            ([[server] for server in client.servers] if client.each else [client.servers])]
    return pytest.mark.parametrize("client, servers", [
        pytest.param(client, servers, id=label(client, servers)) for client, servers in runs])


def label(client, servers):
    [server, version] = servers[0]
    return f"{client.name}-{server[4:]}-{version[4:]}" if client.each else client.name


@pytest.fixture
def endpoints(servers, request):
    return [request.getfixturevalue(server).endpoints[version] for server, version in servers]


@pytest.fixture
def guard(client, home):
    return Guard(home, client.signal)


@pytest.fixture
def start(guard, endpoints, certificates, bindir, home):
    """Starts a client under the guard; it ends with the test."""
    started = []

    def start_guarded(client):
        env = guard.env(leak_after=f"{LEAK_AFTER}s", report_at_exit="always")
        started.append(client.start(endpoints, certificates, bindir, env, home / "stderr"))
        return started[-1]

    yield start_guarded
    for app in started:
        app.__exit__()


def assert_hosts(client, endpoints, found):
    expected = {f"{client.calls}:{endpoint.port}" for endpoint in endpoints}
    assert set(found.hosts) == expected, found.text
    assert {group.host for group in found.groups} == expected, found.text


def assert_ends_well(client, guard, app):
    if client.closes:
        app.ask("close", "CLOSED")
        assert_all_closed(guard, app.pid, 3 * LEAK_AFTER)
    if not client.endless:
        assert client.finish(app) == 0, app.stderr
        assert_nothing_leaked(report.parse(guard.reports(app.pid)))
    app.__exit__()
    assert "poolguard" not in app.stderr, app.stderr


@every_run(MATRIX)
def test_reports_say_of_tls_what_the_servers_log_says(client, endpoints, guard, start):
    app = start(client)
    client.get_ready(app)
    reports, kernel = compare(guard, app.pid)
    assert len(kernel) == client.count * len(endpoints)
    assert_ends_well(client, guard, app)
    for how, found in reports.items():
        assert_same(found, kernel, how)
        assert_hosts(client, endpoints, found)
        assert_tls(found, endpoints, how, client.server_name, client.gnutls,
                   client.data if client.counted else (None, None))


PARTLY = TlsClient("python-ssl-partly", script(PYTHON, "tls_partly.py"), ready="10 B read")


@every_run([PARTLY])
def test_what_the_tls_library_has_and_the_program_not_is_pending(client, endpoints, guard, start):
    app = start(client)
    client.get_ready(app)
    pending = [int(app.hear()) for _ in endpoints]
    reports, _ = compare(guard, app.pid)
    for found in reports.values():
        of = {connection.remote: connection.tls for connection in found.connections}
        said = [of[f"{endpoint.host}:{endpoint.port}"] for endpoint in endpoints]
        assert [(tls.data_in, tls.pending) for tls in said] == [(10, n) for n in pending], \
            found.text


UNWRAPPED, DETACHED = [
    TlsClient(f"python-ssl-{how}", script(PYTHON, "tls_split.py", how)) for how in
    ("unwrap", "detach")]
CLOSE_NOTIFY = {"nginx": "sent", "haproxy": "sent, received"}  # nginx hangs up without one


@every_run([UNWRAPPED])
def test_sockets_whose_tls_object_was_freed_are_split(client, endpoints, guard, start):
    app = start(client)
    client.get_ready(app)
    guard.verdict(app.pid, "LEAK", "tls-split", len(endpoints))
    notified = {f"{e.host}:{e.port}": CLOSE_NOTIFY[e.name.split()[0]] for e in endpoints}
    for found in compare(guard, app.pid)[0].values():
        assert_hosts(client, endpoints, found)
        assert found.leaked == len(endpoints) and found.leaked_objects == 0, found.text
        assert {c.remote: c.tls.close_notify for c in found.connections} == notified, found.text
        assert all(c.tls.freed for c in found.connections), found.text
        assert_split(found, "TLS object freed", "SSL_free")
    assert_ends_well(client, guard, app)


@every_run([DETACHED])
def test_tls_objects_whose_socket_was_closed_are_split(client, endpoints, guard, start):
    app = start(client)
    client.get_ready(app)
    until(lambda: guard.by_command(app.pid).leaked_objects == len(endpoints), "the verdict")
    for found in compare(guard, app.pid)[0].values():
        assert_hosts(client, endpoints, found)
        assert found.open == found.leaked == 0, found.text
        assert found.leaked_objects == sum(g.objects for g in found.groups), found.text
        assert_split(found, "socket closed", "close")
    assert_ends_well(client, guard, app)


def assert_split(found, section, function):
    for group in found.groups:
        assert (group.kind, group.cls) == ("LEAK", "tls-split") and group.todo, found.text
        assert group.stacks[section][0].function == function, found.text
        assert any(frame.matches("*@*/python3*") for frame in group.frames), found.text


@every_run(COMMANDS)
def test_commands_that_end_have_closed_what_they_opened(client, endpoints, guard, start):
    assert start(client).finish() == 0
    reports = [report.parse(path.read_text()) for path in guard.home.glob("r.*")]
    assert sum(int(row["opened"]) for found in reports for row in found.hosts.values()) == 1
    for found in reports:
        assert_nothing_leaked(found)


plain_bytes = re.compile(r"\bin (\d+) B in .*\bout (\d+) B in ")


@every_run([client for client in MATRIX if client.servers[0][0] == "tls_postgres"])
def test_postgres_says_as_much_over_tls_as_without(client, endpoints, guard, start):
    counts = []
    for mode in ("require", "disable"):
        app = start(replace(client, argv=[re.sub("require", mode, word) for word in client.argv]))
        client.get_ready(app)
        [connection] = guard.by_command(app.pid).connections
        counts.append((connection.tls.data_in, connection.tls.data_out) if connection.tls else
                      tuple(map(int, plain_bytes.search(connection.rest).groups())))
    assert counts[0] == counts[1]


@every_run(BY_MEMORY)
def test_tls_in_memory_is_reported_as_tcp(client, endpoints, guard, start):
    app = start(client)
    client.get_ready(app)
    reports, kernel = compare(guard, app.pid)
    assert len(kernel) == len(endpoints)
    for how, found in reports.items():
        assert_same(found, kernel, how)
        assert [c.tls for c in found.connections] == [None] * len(kernel), found.text
        assert_memory_note(client, found)
    assert_ends_well(client, guard, app)


MEMORY_NOTE = ("TLS through memory: {} TLS objects whose connections are not known to the TLS"
               " library (memory BIO): those are reported as TCP")


def assert_memory_note(client, found):
    """Java's TLS is in Java; node's may be in node."""
    notes = [note for note in found.notes if note.startswith("TLS through memory:")]
    if client.name.startswith("python"):
        assert notes == [MEMORY_NOTE.format(len(found.connections))], found.text
    if client.name.startswith("java"):
        assert notes == [], found.text
