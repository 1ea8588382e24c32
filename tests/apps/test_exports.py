"""What the library shows to the loader, and that a program can not tell it from libc."""
import os
import re
import subprocess
from pathlib import Path

import pytest

import truth
from guard import BUILD, Guard
from process import Program, clean_env

TABLES = Path(__file__).resolve().parents[2] / "shim/wrap"
ROW = re.compile(r"^(?:REAL|TLS)_VOID\((\w+),|^(?:REAL(?:_VA)?|TLS)\([^,]+, (\w+),", re.M)


def rows(*tables):
    return [void or name for table in tables
            for void, name in ROW.findall((TABLES / table).read_text())]


CALLS = rows("real.def")
TLS_CALLS = rows("openssl.def", "gnutls.def")


def output(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def readelf(flag):
    return output("readelf", "-W", flag, BUILD / "libpoolguard.so")


# --- the library as the loader sees it ------------------------------------------------------------

def test_exactly_the_table_is_exported():
    symbols = output("nm", "-D", "--defined-only", BUILD / "libpoolguard.so")
    exported = [line.split()[-1] for line in symbols.splitlines()]
    assert len(CALLS) > 30 and sorted(exported) == sorted(CALLS + TLS_CALLS)


def test_libc_is_all_that_is_needed():
    assert re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d")) == ["libc.so.6"]


def test_it_is_bound_at_start_and_initialised_first():
    flags = re.search(r"\(FLAGS_1\)\s+Flags: (.*)", readelf("-d")).group(1).split()
    assert {"NOW", "INITFIRST"} <= set(flags)


def test_no_stack_is_executable_and_no_code_is_relocated():
    [stack] = [line for line in readelf("-l").splitlines() if "GNU_STACK" in line]
    assert "RW " in stack and "E" not in stack.split("GNU_STACK")[1].split()
    assert "TEXTREL" not in readelf("-d")


def test_no_segment_is_writable_and_executable():
    for line in readelf("-l").splitlines():
        assert not re.match(r"\s+LOAD\s.*\bRWE\b", line), line


# --- every call, bare and guarded -----------------------------------------------------------------

def by_call(lines):
    """{call: [its lines]}"""
    calls = {}
    for line in lines:
        calls.setdefault(line.split(" ")[0], []).append(line)
    return calls


PROGRAMS = ("every_call", "every_process_call")


def run(argv, env, home, name):
    """The lines of each call, and the exit status; guarded if the environment says so."""
    with Program(argv, env, home / name) as app:
        while (line := app.hear()) not in ("READY", None):
            pass
        if line:
            app.say("end")
        return by_call(app.transcript), app.finish()


def run_all(bindir, env, home):
    """The same of all programs together; their statuses are one number."""
    calls, statuses = {}, []
    for name in PROGRAMS:
        lines, status = run([Path(bindir) / name], env, home, name)
        statuses.append(status)
        for call, of_call in lines.items():
            calls.setdefault(call, []).extend(of_call)
    return calls, max(statuses)


@pytest.fixture(scope="module")
def runs(bindir, tmp_path_factory):
    """{how: (lines of each call, exit status)}: bare; guarded; guarded with the signal named."""
    found = {"bare": run_all(bindir, clean_env("/"), tmp_path_factory.mktemp("bare"))}
    for how in ("quiet_env", "env"):
        guard = Guard(tmp_path_factory.mktemp(how))
        found[how] = run_all(bindir, getattr(guard, how)(), guard.home)
    return found


def test_bare_each_call_does_what_its_manual_says(runs):
    calls, status = runs["bare"]
    assert [line for lines in calls.values() for line in lines if "WRONG" in line] == []
    assert status == 0


def test_every_row_of_the_table_is_called(runs):
    assert set(CALLS) <= set(runs["bare"][0])


@pytest.mark.parametrize("how", ["quiet_env", "env"], ids=["signal-by-default", "signal-named"])
@pytest.mark.parametrize("call", CALLS)
def test_results_and_errno_are_the_same_guarded(runs, how, call):
    assert runs[how][0].get(call) == runs["bare"][0][call]


def test_afterwards_exactly_the_open_connections_are_known(guard, bindir, home):
    with Program([Path(bindir) / "every_call"], guard.env(), home / "stderr") as app:
        while app.hear() != "READY":
            pass
        kernel = {(c.local, c.remote) for c in truth.connections(app.pid)}
        assert len(kernel) == 2
        for found in guard.both(app.pid).values():
            assert {(c.local, c.remote) for c in found.connections} == kernel, found.text


def test_addresses_in_memory_without_rights_are_efault(guard, bindir, home):
    argv = [Path(bindir) / "every_call", "unreadable"]
    assert run(argv, guard.env(), home, "stderr") == run(argv, clean_env(home), home, "bare")


# --- descriptors whose call failed ----------------------------------------------------------------

KEEP_OPEN = """
import ctypes, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
fd = s.fileno()
print(eval(sys.argv[3]), flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("call", [
    "libc.close_range(fd, fd, 64)",
    "libc.syscall(436, fd, fd, 64)",  # close_range
    "libc.dup2(1000000, fd)", "libc.dup3(1000000, fd, 0)", "libc.dup3(fd, fd, 0)",
    "libc.syscall(292, 1000000, fd, 0)" if os.uname().machine == "x86_64" else  # dup3
    "libc.syscall(24, 1000000, fd, 0)",
])
def test_a_call_that_failed_leaves_the_connection_known(guard, home, holds, call):
    with Program(["/usr/bin/python3", "-c", KEEP_OPEN, holds.host, holds.port, call], guard.env(),
                 home / "stderr") as app:
        app.expect("-1")
        kernel = {c.local for c in truth.connections(app.pid)}
        assert len(kernel) == 1
        for found in guard.both(app.pid).values():
            assert {c.local for c in found.connections} == kernel, found.text
