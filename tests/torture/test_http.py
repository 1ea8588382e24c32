"""HTTP on connections that threads share, are cancelled at, and are interrupted at: no record of an
exchange is lost, nothing is said that is not so."""
import subprocess

import pytest

from look import assert_right, end, ready

KEPT = 5  # connections that are open at the end, with an exchange each


@pytest.fixture
def played(guard, start, bindir, http_port):
    """Runs the program in a mode; returns how many connections it has opened, how many requests it
    has sent, what its state file says of exchanges, and the report."""

    def play(mode, *args, **options):
        app = start("http", mode, http_port, *args, leak_after="1h", **options)
        [said] = ready(app)
        opened, requests = map(int, said.split())
        [box] = guard.state.glob(f"{app.pid}-*.box")
        words = subprocess.run([bindir / "exchanges", box], check=True, capture_output=True,
                               text=True).stdout.split()
        report = assert_right(guard, app.pid, KEPT)
        assert not report.of("LEAK") and not report.of("RISK"), report.text
        end(app)
        return opened, requests, dict(zip(words[::2], map(int, words[1::2]))), report
    return play


def assert_each_was_seen(opened, requests, seen):
    """Of connections whose every request has had its response before the end: all is known."""
    assert (seen["held"], seen["nobodys"]) == (KEPT, 0), seen
    assert (seen["conns"], seen["requests"]) == (opened, requests - KEPT), seen
    assert seen["unused"] == opened - KEPT, seen
    assert not any(seen[end] for end in ["undrained", "unanswered", "failed", "server-closed"]), seen


def test_who_writes_may_be_another_thread_than_who_reads(played, loop):
    opened, requests, seen, report = played("pairs")
    assert_each_was_seen(opened, requests, seen)
    assert seen["records"] <= KEPT + 3, seen  # of three pairs
    assert not report.of("WASTE", "closed-undrained"), report.text


def test_threads_at_one_connection_lose_no_record(played, loop):
    _, _, seen, _ = played("chaos")
    assert (seen["held"], seen["nobodys"]) == (KEPT, 0), seen
    assert seen["records"] <= 4 + 3 * 8, seen  # four connections, eight threads


@pytest.mark.parametrize("kind", ["deferred", "async"])
def test_threads_that_are_cancelled_in_an_exchange_lose_few_records(played, loop, kind):
    opened, _, seen, _ = played("cancel", kind)
    # One that is left for good while its bytes are looked at is not used again.
    assert seen["held"] == KEPT + seen["nobodys"], seen
    assert seen["nobodys"] <= (opened / 20 if kind == "async" else 0), seen
    assert seen["records"] <= KEPT + 1 + seen["nobodys"], seen


@pytest.mark.parametrize("unwinder", ["auto", "libunwind", "glibc"])
def test_a_handler_may_use_the_connection_that_it_interrupts(played, loop, unwinder):
    _, _, seen, _ = played("handler", unwinder=unwinder)
    assert (seen["held"], seen["nobodys"]) == (KEPT, 0), seen


def test_a_handler_that_jumps_out_of_a_read_loses_few_records(played, loop):
    _, _, seen, _ = played("jump")
    assert seen["held"] == KEPT + seen["nobodys"], seen
    assert seen["nobodys"] < seen["conns"] / 5, seen


def test_children_of_a_process_that_speaks_http_speak_it_too(played, loop):
    opened, requests, seen, _ = played("fork")
    assert_each_was_seen(opened, requests, seen)
