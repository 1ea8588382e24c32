"""The harness itself, without the guard: the parser on sample text, the truth on known sockets."""
import os
import socket

import report
import truth

SAMPLE = """\
noise of the program
==4211== poolguard: python3: 12 open connections, 7 leaked
host                   open  in use  idle  leaked  opened  failed
127.0.0.1:8080            9       2     1       6      41       0
[::1]:81                  1       0     1       0       1       0
2 open TCP sockets that the guard did not see being connected

==4211== LEAK peer-closed: 6 connections to 127.0.0.1:8080, oldest 4m12s
  the peer has closed, the program has not
  opened:
    #0 connect+0x12 (/usr/lib/x/libpoolguard.so+0x1234)
    #1 node::Connect(v8::Info<v8::Value> const&)+0x3c (/usr/bin/node+0x5678)
    #2 0x00007f1234 (/usr/bin/python3.11+0x9abc)
    python fetch_user app/users.py:41
  last used:
    #0 recv+0x3 (/lib/libc.so.6+0x1)
  connections:
    fd 7,9  127.0.0.1:50002 -> 127.0.0.1:8080  close-wait  age 4m12s  in 512 B in 3 reads
  to do: close it.

==4211== OPEN: 1 connection to [::1]:81, oldest 3m
  opened:
    #0 main+0x5 (/bin/x+0x5)
  connections:
    fd 5  [::1]:4000 -> [::1]:81  established  age 3m

SUMMARY: poolguard: 7 leaked connections in 2 places
"""


def test_parser_reads_header_hosts_and_summary():
    found = report.parse(SAMPLE)
    assert (found.pid, found.program, found.open, found.leaked) == (4211, "python3", 12, 7)
    assert found.hosts["127.0.0.1:8080"]["in use"] == "2" and found.hosts["[::1]:81"]["open"] == "1"
    assert found.notes == ["2 open TCP sockets that the guard did not see being connected"]
    assert found.summary.endswith("7 leaked connections in 2 places")


def test_parser_reads_groups_frames_and_connections():
    leak, idle = report.parse(SAMPLE).groups
    assert [(g.kind, g.cls, g.count, g.host) for g in (leak, idle)] == [
        ("LEAK", "peer-closed", 6, "127.0.0.1:8080"), ("OPEN", "", 1, "[::1]:81")]
    assert leak.evidence == ["the peer has closed, the program has not"]
    assert leak.todo == "close it."
    assert [f.function for f in leak.frames] == [
        "connect", "node::Connect(v8::Info<v8::Value> const&)", ""]
    assert leak.frames[2].matches("@*/python3.11") and not leak.frames[2].matches("main@*")
    listed = report.parse(SAMPLE).connections
    assert [(c.local, c.remote, c.state, sorted(c.fds)) for c in listed] == [
        ("127.0.0.1:50002", "127.0.0.1:8080", "close-wait", [7, 9]),
        ("[::1]:4000", "[::1]:81", "established", [5])]


def test_parser_takes_the_last_complete_report():
    assert report.parse(SAMPLE + SAMPLE.replace("12 open", "13 open")).open == 13
    assert report.parse(SAMPLE + "==1== poolguard: x: 5 open connections, 0 leaked\n").open == 12
    assert report.parse("nothing") is None


def test_truth_finds_a_connection_with_all_its_descriptors(holds):
    with socket.create_connection((holds.host, holds.port)) as s, s.dup() as twin:
        local, remote = ("%s:%d" % end for end in (s.getsockname(), s.getpeername()))
        found = [c for c in truth.connections(os.getpid()) if c.local == local]
        assert found == [truth.Socket(local, remote, "established", {s.fileno(), twin.fileno()})]


def test_truth_folds_mapped_addresses_and_skips_listeners(holds):
    with socket.socket(socket.AF_INET6) as s:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.connect(("::ffff:127.0.0.1", holds.port))
        remotes = [c.remote for c in truth.connections(os.getpid()) if s.fileno() in c.fds]
        assert remotes == [f"127.0.0.1:{holds.port}"]
        assert all(c.state != "listen" for c in truth.connections(os.getpid()))


def test_truth_writes_addresses_as_the_report_does():
    assert truth.endpoint("0100007F:1F90") == "127.0.0.1:8080"
    assert truth.endpoint("00000000000000000000000001000000:0051") == "[::1]:81"
    assert truth.endpoint("0000000000000000FFFF00000100007F:0051") == "127.0.0.1:81"
