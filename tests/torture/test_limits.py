"""Nobody reads what we have to say, and little is left to live on: the program does not suffer."""
import fcntl
import os
import signal
import subprocess
import time

import pytest

from look import assert_right, end, ready
from process import DEADLINE

LEAKS = {"leak_after": "1ms", "grace": "1ms", "report_at_exit": "always"}


@pytest.fixture
def ends_with(guard, bindir, port):
    """The status of a program that ends with leaks, its stderr being this descriptor."""
    def run(stderr, *wrapper, **options):
        with subprocess.Popen([*wrapper, bindir / "exits", str(port), "exit"],
                              env=guard.env(**{**LEAKS, "report": "stderr", **options}),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr) as app:
            out, _ = app.communicate(b"\n", timeout=DEADLINE)
        assert out == b"atexit\n"
        return app.returncode
    return run


def test_a_reader_of_stderr_that_has_gone_does_not_kill(ends_with):
    reader, writer = os.pipe()
    os.close(reader)
    assert ends_with(writer) == 5
    os.close(writer)


@pytest.mark.parametrize("blocking", [True, False])
def test_a_reader_of_stderr_that_does_not_read_keeps_nobody(ends_with, blocking):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    while fcntl.fcntl(writer, fcntl.F_GETFL) and writes(writer):
        pass
    os.set_blocking(writer, blocking)
    begin = time.monotonic()
    assert ends_with(writer) == 5
    assert time.monotonic() - begin < 10
    os.close(reader)
    os.close(writer)


def writes(fd):
    try:
        return os.write(fd, b"x" * 4096)
    except BlockingIOError:
        return 0


def test_a_closed_stderr_is_no_trouble(ends_with):
    assert ends_with(None, "sh", "-c", 'exec 2>&-; exec "$0" "$@"') == 5


@pytest.mark.parametrize("report", ["stderr", "file"])
def test_a_limit_of_file_sizes_does_not_kill(ends_with, home, report):
    with open(home / "log", "wb") as log:
        options = {} if report == "stderr" else {"report": home / "r.%p"}
        assert ends_with(log, "sh", "-c", 'ulimit -f 0; exec "$0" "$@"', **options) == 5


def test_a_limit_of_file_sizes_set_late_does_not_kill(guard, start):
    app = start("limits", "fsize")
    ready(app)
    assert_right(guard, app.pid, 3)
    os.kill(app.pid, signal.SIGUSR1)
    end(app)


def test_little_address_space_left_does_not_kill(guard, start):
    app = start("limits", "as")
    ready(app)
    assert_right(guard, app.pid, 3)
    end(app)


def test_few_descriptors_are_the_programs_alone(guard, start):
    app = start("limits", "nofile")
    ready(app)
    assert_right(guard, app.pid, 0)
    app.say("")
    assert app.finish() == 0  # stderr has the report that there were none left


def can_mount():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="needs the right to mount")
def test_a_full_file_system_stops_no_thread(guard, bindir, port, loop):
    script = 'mount -t tmpfs -o size=160k none "$POOLGUARD_STATE_DIR" && exec "$@"'
    argv = ["unshare", "-m", "sh", "-c", script, "sh", bindir / "threads", str(port), "plain"]
    env = {**guard.env(), "TORTURE_LOOP": str(loop)}
    with subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as app:
        out, err = app.communicate("\n", timeout=loop + DEADLINE)
    assert (app.returncode, out) == (0, "READY\n"), err
    assert err.count("\n") <= 1, err


def test_a_state_directory_of_nobodys_is_one_line(guard, start):
    app = start("threads", "plain", env={"POOLGUARD_STATE_DIR": "/proc/nowhere"})
    ready(app)
    assert guard.by_signal(app.pid).open == 2
    app.say("")
    assert app.finish() == 0
    assert app.stderr.startswith("poolguard: ") and app.stderr.count("\n") == 1, app.stderr


@pytest.mark.parametrize("names", [100, 70000])
def test_after_more_names_than_are_kept_the_rest_is_still_told(guard, start, names):
    """The host is then an address, if need be; all else is as before."""
    app = start("tls_names", "-", names)
    ready(app)
    report = assert_right(guard, app.pid, 2)
    for tls in (c.tls for c in report.connections):
        assert (tls.version, tls.cipher) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384"), report.text
        assert tls.data_in + tls.data_out == 10 and tls.handshake == "full", report.text
        assert tls.server_name == "pair.test" or names > 65535, report.text
    end(app)
