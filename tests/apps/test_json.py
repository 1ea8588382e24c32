"""Reports as JSON: each by the schema, and all that the text of the same moment says."""
import os
import shutil
import signal
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

import faults
from formats import Asks, one, split
from json_report import of, reports
from json_text import text_of
from matrix import CLIENTS, PYTHON
from process import Program, until

LEAK_AFTER = "200ms"


@pytest.fixture
def asks(guard):
    return Asks(guard)


def leak_all_ways(guard, app, holds, closes_first, refused):
    """Connections of every class that a client can make by itself."""
    host, port = refused
    for _ in range(3):
        app.ask(f"open {closes_first.host} {closes_first.port}")
    app.ask("read")
    for _ in range(20):
        app.ask(f"open {holds.host} {holds.port}")
    for _ in range(2):
        app.ask(f"fail {host} {port}", "ECONNREFUSED")
    guard.verdict(app.pid, "LEAK", "connect-failed", 2)
    app.ask(f"open {holds.host} {holds.port}")
    guard.verdict(app.pid, "LEAK", "never-closed", 20)
    guard.verdict(app.pid, "LEAK", "peer-closed", 3)


def test_leaks_are_told_with_every_number_of_the_text(guard, asks, scripted, holds, closes_first,
                                                      refused):
    app = scripted(leak_after=LEAK_AFTER, format="json")
    leak_all_ways(guard, app, holds, closes_first, refused)
    found = asks.agreed(app.pid)
    assert found["leaked"] == 25 and found["open"] == 24
    assert {g["class"]: g["count"] for g in found["groups"]} == {
        "peer-closed": 3, "never-closed": 20, "connect-failed": 2, "open": 1}
    assert {c["error"] for c in found["connections"] if "error" in c} == {"ECONNREFUSED"}
    assert {c["bytes_in"] for c in found["connections"] if c["state"] == "close-wait"} == {6}


def test_of_a_killed_program_both_formats_say_the_same_to_the_byte(
        guard, scripted, holds, closes_first, refused):
    app = scripted(leak_after=LEAK_AFTER)
    leak_all_ways(guard, app, holds, closes_first, refused)
    app.popen.send_signal(signal.SIGKILL)
    app.popen.wait()
    found = one(guard.printed(app.pid, "json"))
    assert found["process"] == "ended" and found["open"] > 20 and "unseen" not in found
    assert text_of(found) == guard.printed(app.pid)


def test_hosts_that_the_text_only_counts_are_there(asks, scripted):
    everywhere = faults.Holds("0.0.0.0")
    app = scripted(format="json")
    for i in range(1, 61):
        app.ask(f"open 127.0.1.{i} {everywhere.port}")
    found = asks.agreed(app.pid)
    everywhere.stop()
    assert {h["host"] for h in found["hosts"]} == {f"127.0.1.{i}" for i in range(1, 61)}


def test_reports_in_a_file_are_a_line_each(guard, asks, scripted, holds):
    app = scripted(format="json", report_at_exit="always")
    app.ask(f"open {holds.host} {holds.port}")
    asks.signalled(app.pid)
    app.ask(f"open {holds.host} {holds.port}")
    asks.signalled(app.pid)
    app.say("exit 0")
    assert app.finish() == 0 and app.stderr == ""
    text = guard.reports(app.pid)
    found = reports(text)
    assert text.count("\n") == len(found) == 3
    assert [r["trigger"] for r in found] == ["signal", "signal", "exit"]
    assert [r["open"] for r in found] == [1, 2, 2]
    assert [g["class"] for g in found[2]["groups"]] == ["open-at-exit"]
    assert found[0]["time"] <= found[1]["time"] <= found[2]["time"]


def test_running_out_of_descriptors_is_reported_at_that_moment(guard, scripted, holds):
    app = scripted(wrapper=["prlimit", "--nofile=40"], env=guard.quiet_env(format="json"))
    app.ask(f"exhaust {holds.host} {holds.port}", "EMFILE")
    found = one(app.stderr)
    assert found["trigger"] == "exhausted"
    [group] = of(found, "fd-exhausted")
    assert group["kind"] == "risk" and group["count"] == 1 and "asked" in group
    assert "Too many open files" in group["evidence"]
    before, found, after = (guard.printed(app.pid), one(guard.printed(app.pid, "json")),
                            guard.printed(app.pid))
    assert split(before)[0] == split(text_of(found))[0] == split(after)[0]


@pytest.mark.parametrize("way", ["owner", "stranger"])
def test_a_double_close_is_told_with_its_stacks(guard, asks, bindir, home, way):
    with Program([Path(bindir) / "double_close", way], guard.env(format="json"), home / "err") as app:
        app.expect("READY")
        found = asks.agreed(app.pid)
        [group] = of(found, "double-close")
        frames = {s["id"]: [f.get("function") for f in s["frames"]] for s in found["stacks"]}
        assert "dial" in frames[group["opened"]] and "finish" in frames[group["closed"]]
        assert "cleanup" in frames[group["closed_again"]]
        assert group["fd"] >= 3 and group["count"] == 1


def test_what_was_inherited_by_fork_and_exec_is_told(guard, asks, home, holds):
    with Program([PYTHON, CLIENTS / "hands.py"], guard.env(format="json", leak_after=LEAK_AFTER),
                 home / "stderr") as app:
        app.ask(f"open {holds.host} {holds.port}")
        children = []
        try:
            for way, cls, flag in (("fork", "inherited", "inherited"),
                                   ("spawn", "exec-inherited", "by-exec")):
                app.say(way)
                children.append(int(app.hear()))
                until(lambda: list(guard.state.glob(f"{children[-1]}-*.box")), "a state file")
                found = until(lambda: of(one(guard.printed(children[-1], "json")), cls), cls)
                [group] = found
                found = asks.agreed(children[-1])
                [c] = [c for c in found["connections"] if c["id"] in group["connections"]]
                assert c["flags"] == [flag] and "opened" in c
        finally:
            for pid in children:
                os.kill(pid, signal.SIGKILL)


# --- TLS -----------------------------------------------------------------------------------------

ANONYMOUS = "aNULL:@SECLEVEL=0"  # TLS 1.2 without certificates


class SpeaksTLS(faults.FaultServer):
    """Answers every line with itself."""

    def __init__(self):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_ciphers(ANONYMOUS)
        super().__init__()

    def serve(self, conn):
        threading.Thread(target=self._echo, args=(conn,), daemon=True).start()

    def _echo(self, conn):
        try:
            with self.context.wrap_socket(conn, server_side=True) as s:
                while data := s.recv(100):
                    s.sendall(data)
        except OSError:
            pass


TLS_CLIENT = """
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.set_ciphers("aNULL:@SECLEVEL=0")
kept = []
def connect():
    plain = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    kept.append(context.wrap_socket(plain, server_hostname="api.test",
                                    session=kept[0].session if kept else None))
    kept[-1].sendall(b"hello")
    assert kept[-1].recv(2) == b"he"
connect()
connect()
under_way = socket.create_connection((sys.argv[3], int(sys.argv[4])))
under_way.setblocking(False)
under_way = context.wrap_socket(under_way, do_handshake_on_connect=False, server_hostname="b.test")
try:
    under_way.do_handshake()
except ssl.SSLWantReadError:
    pass
print("READY", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def speaks_tls():
    server = SpeaksTLS()
    yield server
    server.stop()


def test_tls_is_told(guard, asks, home, speaks_tls, holds):
    with Program([PYTHON, "-c", TLS_CLIENT, speaks_tls.host, speaks_tls.port, holds.host, holds.port],
                 guard.env(format="json"), home / "stderr") as app:
        app.expect("READY")
        found = asks.agreed(app.pid)
        full, resumed, under_way = (c["tls"] for c in found["connections"])
        assert full["version"] == "TLSv1.2" and full["server_name"] == "api.test"
        assert not full["resumed"] and resumed["resumed"] and full["handshake_ms"] > 0
        assert (full["data_in"], full["data_out"], full["pending"]) == (2, 5, 3)
        assert under_way["server_name"] == "b.test" and "handshake_begun_ms_ago" in under_way


# --- names and fingerprints ----------------------------------------------------------------------

def test_a_fingerprint_is_the_same_in_every_run(guard, asks, bindir, home):
    seen = []
    for i in range(2):
        with Program([Path(bindir) / "double_close", "stranger"], guard.env(format="json"),
                     home / f"err{i}") as app:
            app.expect("READY")
            seen.append({(g["class"], g["fingerprint"]) for g in asks.signalled(app.pid)["groups"]})
    assert seen[0] == seen[1] and "double-close" in {cls for cls, _ in seen[0]}


def test_any_name_of_a_program_makes_good_json(guard, asks, bindir, home):
    name = b'a "quoted"\\ \x01\n\xff\xe2\x82 \xe2\x82\xac'
    path = os.fsencode(home) + b"/" + name
    shutil.copy(Path(bindir) / "double_close", path)
    with subprocess.Popen([path, b"owner"], env=guard.env(format="json"), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as app:
        assert app.stdout.readline() == b"READY\n"
        for found in (asks.signalled(app.pid), one(guard.printed(app.pid, "json"))):
            assert found["program"] == name.decode(errors="replace")
            assert found["executable"] == path.decode(errors="replace")
            frames = found["stacks"][0]["frames"]
            assert path.decode(errors="replace") in {f["module"] for f in frames}
        app.kill()


# --- what is suppressed, what is asked for -------------------------------------------------------

def test_what_is_suppressed_is_marked_and_noted(guard, asks, scripted, home, closes_first):
    (home / "supp").write_text('host:127.0.0.1:*\nclass:"odd\\\n')
    app = scripted(leak_after=LEAK_AFTER, format="json", suppressions=home / "supp")
    app.ask(f"open {closes_first.host} {closes_first.port}")
    app.ask("read")
    until(lambda: of(one(guard.printed(app.pid, "json")), "peer-closed"), "a suppressed leak")
    found = asks.agreed(app.pid)
    [group] = found["groups"]
    assert group["suppressed"] and group["kind"] == "leak" and found["leaked"] == 0
    assert found["notes"] == ["suppressed by host:127.0.0.1:*: 1 connection"]


def test_the_flag_counts_then_the_variable(guard, scripted, holds):
    app = scripted()
    app.ask(f"open {holds.host} {holds.port}")
    assert guard.ask(app.pid).stdout.startswith("==")
    assert one(guard.ask(app.pid, POOLGUARD_FORMAT="json").stdout)["open"] == 1
    assert guard.ask("--format=text", app.pid, POOLGUARD_FORMAT="json").stdout.startswith("==")
    assert one(guard.ask("--format", "json", app.pid).stdout)["open"] == 1
    for run, named in ((guard.ask("--format=xml", app.pid), "--format=xml"),
                       (guard.ask(app.pid, POOLGUARD_FORMAT="xml"), "POOLGUARD_FORMAT=xml")):
        assert run.returncode == 2 and run.stdout == ""
        assert run.stderr == f"poolguard: {named}: not one of text, json\n"


def test_it_is_an_option_like_the_others(guard, scripted, home, holds):
    (home / "pg.conf").write_text("format = json\n")
    app = scripted(env=guard.env(config=home / "pg.conf"))
    app.ask(f"open {holds.host} {holds.port}")
    assert Asks(guard).signalled(app.pid)["open"] == 1
