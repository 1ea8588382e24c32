"""The checker itself: it finds what is wrong, and says nothing of what is not."""
import socket
import subprocess
from collections import Counter
from types import SimpleNamespace

import pytest

import outcomes
from guard import Guard
from kernel import Held
from process import die_with_parent
from sampler import Process, Sampler

CLIENT = """
import os, socket, sys
kept = [socket.create_connection(("127.0.0.1", int(sys.argv[1])))]
orders = socket.socket(fileno=0)
orders.send(b"1")
while order := orders.recv(1):
    if order == b"f" and os.fork() == 0:
        kept.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    orders.send(b"1")
"""


class Client:
    """A guarded client with one connection; it does what it is ordered to."""

    def __init__(self, guard, port):
        self.orders, theirs = socket.socketpair()
        self.popen = subprocess.Popen(
            ["/usr/bin/python3", "-c", CLIENT, str(port)], stdin=theirs, env=guard.quiet_env(),
            preexec_fn=die_with_parent())
        theirs.close()
        self.orders.recv(1)

    def order(self, what):
        self.orders.send(what)
        return self.orders.recv(1)


@pytest.fixture
def guard(tmp_path):
    return Guard(tmp_path)


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as s:
        yield s


@pytest.fixture
def client(guard, server):
    c = Client(guard, server.getsockname()[1])
    yield c
    c.orders.close()
    c.popen.wait()


def rounds(guard, tmp_path, count=2, kind=Sampler):
    """The tally after so many looks at everything."""
    sampler = kind(guard, tmp_path / "log")
    for _ in range(count):
        sampler.look_around()
    return sampler.tally


def test_what_the_guard_knows_is_no_violation(guard, client, tmp_path):
    tally = rounds(guard, tmp_path)
    assert (tally.samples, tally.connections, tally.violations) == (2, 2, [])


class Forgetful(Sampler):
    """Hears of no connection at all."""

    def ask(self, pid):
        told, complaint = super().ask(pid)
        told.groups.clear()
        return told, complaint


class Inventive(Sampler):
    """Hears of another end of each connection."""

    def ask(self, pid):
        told, complaint = super().ask(pid)
        for connection in told.connections:
            connection.remote = "127.0.0.1:1"
        return told, complaint


def test_a_connection_that_the_guard_lacks_is_a_violation(guard, client, tmp_path):
    found = rounds(guard, tmp_path, 1, Forgetful).violations
    assert len(found) == 1 and "the report lacks" in found[0]
    assert "the report lacks" in (tmp_path / "log").read_text()


def test_a_connection_that_the_kernel_never_had_is_a_violation(guard, client, tmp_path):
    found = rounds(guard, tmp_path, 1, Inventive).violations
    assert any("the kernel has no" in what for what in found)


def test_what_came_by_fork_must_be_there_and_is(guard, client, tmp_path):
    client.order(b"f")
    client.orders.recv(1)  # the parent has answered, and the child
    tally = rounds(guard, tmp_path)
    assert (tally.samples, tally.connections, tally.violations) == (4, 6, [])


@pytest.mark.parametrize("image,start,expected", [
    (b"same", 20, False),  # forked from its holder
    (b"same", 5, True),    # forked before there was the socket: it came by a message
    (b"other", 20, True),  # another program: exec() or a message
])
def test_what_another_program_had_first_came_in(guard, tmp_path, image, start, expected):
    sampler, socket_ = Sampler(guard, tmp_path / "log"), Held(7, "a:1", "b:2")
    sampler.first[7] = Process(1, 0, 1, b"same"), 10
    assert sampler.is_newcomer(Process(2, start, 2, image), socket_) == expected


def place():
    return SimpleNamespace(**{name: SimpleNamespace(name=name)
                              for name in ("bare", "guarded", "unsignalled")})


def settled(**runs):
    """The one difference of a suite that plays these outcomes, again and again."""
    def play(side, _part, only):
        outcome = runs[side.name].pop(0)
        runs[side.name].append(outcome)
        return {test: outcome for test in only}

    suite = SimpleNamespace(play=play)
    found, = outcomes.settle(place(), suite, "part", {"t": "passed"}, {"t": "failed: why"})
    return found


def test_what_varies_bare_is_flaky():
    found = settled(bare=["failed", "passed"], guarded=["failed"], unsignalled=["failed"])
    assert found.kind == "flaky" and found.bare == Counter(passed=3, failed=3)


def test_what_fails_guarded_alone_is_a_difference_though_it_varies():
    found = settled(bare=["passed"], guarded=["failed", "passed"], unsignalled=["failed"])
    assert found.kind == "difference" and found.guarded == Counter(failed=4, passed=2)


def test_what_the_report_signal_changes_is_told_apart():
    assert settled(bare=["passed"], guarded=["failed"], unsignalled=["passed"]).kind == "signal"


def test_an_outcome_is_compared_without_what_was_said():
    assert outcomes.differing({"a": "failed: x", "b": "passed"}, {"a": "failed: y"}) == ["b"]
