"""Descriptors that are closed, overwritten, moved and passed by every means; and files of the
program's own that come to stand where something was closed: not a byte in them is ours."""
import socket
import subprocess

import pytest

from look import assert_right, end, ready, stays_ended
from process import DEADLINE

UNWINDERS = ["auto", "libunwind", "glibc"]


def files(home):
    return {path.name: path.read_bytes() for path in home.glob("data.*")}


WHOLE = {f"data.{i}": b"OK\n" for i in range(12)}


@pytest.mark.parametrize("unwinder", UNWINDERS)
@pytest.mark.parametrize("how", ["closefrom", "loop", "range", "listed"])
def test_files_opened_after_closing_everything_are_untouched(guard, start, home, how, unwinder):
    app = start("closing", how, 3, unwinder=unwinder, report="stderr", report_at_exit="always")
    assert ready(app) == ["0 spoilt"]
    assert_right(guard, app.pid, 1)
    app.say("")
    assert app.finish() == 0
    assert files(home) == WHOLE


@pytest.mark.parametrize("unwinder", UNWINDERS)
@pytest.mark.parametrize("how", ["closefrom", "loop", "range", "listed"])
def test_a_data_file_that_becomes_stderr_is_untouched(guard, start, home, how, unwinder):
    app = start("closing", how, 0, unwinder=unwinder, report="stderr", report_at_exit="always",
                leak_after="1ms")
    assert app.finish() == 0
    assert app.transcript == ([] if how == "closefrom" else ["0 spoilt"])
    assert files(home) == WHOLE and app.stderr.count("poolguard: closing: ") <= 1


def test_a_socket_on_stderr_gets_nothing_of_ours(guard, bindir, port):
    """As a server has it that inetd started."""
    ours, its = connected()
    env = guard.env(report="stderr", report_at_exit="always", leak_after="1ms", grace="1ms")
    with ours, subprocess.Popen([bindir / "exits", str(port), "exit"], env=env, stdin=its,
                                stdout=its, stderr=its) as app:
        its.close()
        ours.sendall(b"\n")
        ours.settimeout(DEADLINE)
        text = b"".join(iter(lambda: ours.recv(4096), b""))
        assert app.wait(DEADLINE) == 5
    assert text == b"atexit\n"


def connected():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]


@pytest.mark.parametrize("mode, left", [
    ("dup2", 2), ("dup2-same", 3), ("dup3-file", 2), ("dup2-failed", 3), ("fclose", 2),
    ("freopen", 2), ("freopen-failed", 2), ("fcloseall", 3), ("disconnect", 2)])
def test_a_descriptor_that_becomes_another_is_followed(guard, start, mode, left):
    app = start("moves", mode, leak_after="1ms")
    ready(app)
    assert_right(guard, app.pid, 3)
    app.say("")
    ready(app)
    assert_right(guard, app.pid, left)
    end(app)


def test_the_connections_of_a_daemon_are_right(guard, start):
    app = start("moves", "daemon")
    ready(app)
    assert_right(guard, app.pid, 3)
    app.say("")
    pid = int(app.hear())
    ready(app)
    assert_right(guard, pid, 2)
    app.say("")
    stays_ended(pid)
    assert app.finish() == 0 and app.stderr == ""


@pytest.mark.parametrize("mode", ["scm", "scm-mmsg", "fastopen", "fastopen-msg", "mmsg"])
def test_a_connection_that_comes_in_an_unusual_way_is_known(guard, start, mode):
    app = start("passes", mode)
    ready(app)
    assert_right(guard, app.pid, 2)
    end(app)


def test_bytes_of_sendmmsg_and_recvmmsg_are_counted(guard, start):
    app = start("passes", "mmsg")
    ready(app)
    traffic = [c.rest for c in assert_right(guard, app.pid, 2).connections]
    assert any("out 2 B" in rest for rest in traffic), traffic
    end(app)
