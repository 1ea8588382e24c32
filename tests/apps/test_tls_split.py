"""One half of a TLS connection forgotten: the socket of a freed object, the object of a closed
socket; and the orders in which healthy programs end both, of which nothing is said.
"""
import pytest

from guard import Guard
from process import clean_env, until
from scene import Peer, Scene, children, scenario

LEAK_AFTER = "300ms"
both_stacks = pytest.mark.parametrize("stack", ["openssl", "gnutls"])
both_sides = pytest.mark.parametrize("side", ["client", "server"])
FREES = {"openssl": "SSL_free", "gnutls": "gnutls_deinit"}


def functions(group, section):
    return [frame.function for frame in group.stacks[section]]


def use(t, slots):
    t.ctx()
    for slot in slots:
        t.open(slot)
        t.talk(slot)


def bye(t, slot):
    t.guarded.do(f"{t.bye} {slot}", "0")


@both_stacks
@both_sides
@scenario(leak_after=LEAK_AFTER)
def test_sockets_of_freed_objects_are_leaks(t, stack, side):
    use(t, (1, 2, 3))
    for slot in (1, 2, 3):
        bye(t, slot)
        t.guarded.do(f"free {slot}")
    for group in t.told("LEAK", "tls-split", count=3):
        assert functions(group, "TLS object freed")[:2] == [FREES[stack], "do_free"]
        assert functions(group, "opened")[1] == ("do_dial" if side == "client" else "do_take")
        assert group.evidence and group.todo
        if side == "client":
            assert group.host == f"api.test:{t.server.port}"
        assert all(c.tls.freed and c.tls.data_in for c in group.connections)
    for report in t.reports():
        assert report.leaked == 3 and report.leaked_objects == 0, report.text
        assert "3 leaked connections in 1 place" in report.summary
    t.guarded.do("close 1", "0")
    t.told("LEAK", "tls-split", count=2)
    for slot in (2, 3):
        t.guarded.do(f"close {slot}", "0")
    t.says_nothing_wrong()


@both_stacks
@both_sides
@scenario(leak_after=LEAK_AFTER)
def test_objects_of_closed_sockets_are_leaks(t, stack, side):
    use(t, (1, 2, 3))
    for slot in (1, 2, 3):
        bye(t, slot)
        t.guarded.do(f"close {slot}", "0")
    for group in t.told("LEAK", "tls-split", objects=3):
        assert functions(group, "socket closed")[:2] == ["close", "do_close"]
        assert functions(group, "opened")[1] == ("do_dial" if side == "client" else "do_take")
        assert group.evidence and group.todo and not group.connections
        if side == "client":
            assert group.host == f"api.test:{t.server.port}"
    for report in t.reports():
        assert (report.open, report.leaked, report.leaked_objects) == (0, 0, 3), report.text
        assert "3 leaked TLS objects in 1 place" in report.summary
    for slot in (1, 2, 3):
        t.guarded.do(f"free {slot}")
    t.says_nothing_wrong()


@scenario(leak_after=LEAK_AFTER)
def test_both_directions_together_are_told_apart(t):
    use(t, (1, 2, 3))
    t.client.do("free 1")
    t.client.do("close 2", "0")
    t.client.do("close 3", "0")
    t.told("LEAK", "tls-split", count=1, objects=2)
    for report in t.reports():
        assert (report.open, report.leaked, report.leaked_objects) == (1, 1, 2), report.text
        assert "1 leaked connection in 1 place, 2 leaked TLS objects in 1 place" in report.summary


@both_stacks
@both_sides
@scenario(leak_after=LEAK_AFTER)
def test_healthy_orders_are_healthy(t, stack, side):
    t.ctx()
    for order in ("free close", "close free", "bye free close", "bye close free"):
        for _ in range(2):
            t.open()
            t.talk()
            for what in order.split():
                t.guarded.do(f"{t.bye if what == 'bye' else what} 1")
    t.rest(450)
    t.says_nothing_wrong()
    for report in t.reports():
        assert report.open == 0, report.text


@both_stacks
@scenario(leak_after=LEAK_AFTER)
def test_an_object_in_use_and_one_that_rests_in_a_pool_are_healthy(t, stack):
    use(t, (1,))
    t.stays_healthy()
    t.talk()
    t.stays_healthy()


@both_stacks
@scenario(leak_after=LEAK_AFTER)
def test_where_objects_have_been_freed_late_they_are_waited_for(t, stack):
    use(t, (1, 2, 3))
    t.client.do("close 1", "0")
    t.told("LEAK", "tls-split", objects=1)
    t.rest(1000)  # well after its socket: not before a second has passed
    t.client.do("free 1")
    t.client.do("close 2", "0")
    t.client.do("close 3", "0")
    t.rest(450)
    t.says_nothing_wrong()


@scenario(leak_after=LEAK_AFTER)
def test_a_pool_of_objects_that_rest_between_connections_is_learnt(t):
    """By SSL_clear; the first rest can not be told from a leak."""
    t.ctx()
    t.client.do("new 1 client")
    for rest in (1100, 450):
        t.server.do("new 1 server")
        t.dial(1)
        t.client.do("use 1 fd")
        t.server.do("use 1 fd")
        t.shake()
        t.talk()
        t.client.do("shutdown 1")
        t.server.do("read 1 1", "0")
        t.server.do("shutdown 1", "1")
        t.client.do("shutdown 1", "1")
        t.client.do("close 1", "0")
        t.rest(rest)
        if rest < 1000:
            t.says_nothing_wrong()
        t.client.do("clear 1", "1")


@scenario(leak_after=LEAK_AFTER)
def test_an_object_that_was_moved_to_another_socket_is_not_of_the_first(t):
    t.ctx()
    t.open(1)
    t.talk()
    t.client.do("shutdown 1", "0")
    t.client.do("clear 1")
    t.client.do("close 1", "0")
    t.dial(1)
    t.server.do("new 1 server")
    t.server.do("use 1 fd")
    t.client.do("use 1 fd")
    t.shake()
    t.rest(450)
    t.says_nothing_wrong()
    t.client.do("close 1", "0")
    t.told("LEAK", "tls-split", objects=1)


@scenario(leak_after=LEAK_AFTER)
def test_what_a_child_inherited_is_no_split_of_its_own(t):
    use(t, (1, 2))
    t.client.do("fork", "FORKED")
    t.client.do("close 1", "0")
    t.client.do("free 2")
    t.open(3)
    t.rest(450)
    if t.guard:
        [child] = children(t.guarded.pid)
        for report in t.reports(child):
            assert not report.of("LEAK", "tls-split"), report.text
            assert report.leaked_objects == 0, report.text
    for report in t.reports():
        assert not report.of("LEAK", "tls-split"), report.text


# --- what follows from it -------------------------------------------------------------------------

@pytest.fixture
def split(bindir, home, certificate):
    """Starts two ends, the client guarded; it has forgotten one object and one socket."""
    started = []

    def start(before=lambda port: None, **options):
        guard = Guard(home)
        argv = [f"{bindir}/openssl_peer", *certificate]
        server = Peer(argv, clean_env(home), home / "server")
        before(server.port)
        client = Peer(argv, guard.env(leak_after="200ms", **options), home / "client")
        started.extend((client, server))
        t = Scene(client, server, "openssl", client, guard)
        use(t, (1, 2))
        client.do("close 1", "0")
        client.do("free 2")
        t.rest(400)
        return t

    yield start
    for app in started:
        app.__exit__()


@pytest.mark.parametrize("way, status", [("close", 9), ("free", 9), ("both", 0)])
def test_the_exit_status_says_that_something_was_split(split, way, status):
    """"close": the forgotten socket is closed after all; "free": the object is freed."""
    t = split(exitcode=9)
    if way in ("close", "both"):
        t.client.do("close 2", "0")
    if way in ("free", "both"):
        t.client.do("free 1")
    assert t.client.finish() == status
    text = t.guard.reports(t.client.pid)
    assert ("tls-split" in text) == bool(status), text
    assert t.client.stderr == ""


@pytest.mark.parametrize("pattern", ["class:tls-split", "host:api.test", "host:api.test:{port}",
                                     "host:127.0.0.1", "host:127.0.0.1:{port}", "leak:do_dial"])
def test_splits_can_be_suppressed(split, home, pattern):
    suppressions = home / "supp"
    t = split(lambda port: suppressions.write_text(pattern.format(port=port) + "\n"),
              suppressions=suppressions)
    until(lambda: all("suppress" in r.text.lower() for r in t.reports()), "the leaks", deadline=10)
    t.says_nothing_wrong()
