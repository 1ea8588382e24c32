"""The harness itself, without the guard: the parser on sample text, the truth on known sockets."""
import os
import socket

import pytest

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


TLS_SAMPLE = """\
==7== poolguard: x: 3 open connections, 1 leaked
host                            open  in use  idle  leaked  opened  failed
api.test:443                       2       0     2       1       5       0
10.0.0.7:80 (www.example.com)      1       0     1       0       1       0

==7== LEAK tls-split: 1 connection to api.test:443, oldest 40s
  the TLS object was freed at least 35s ago and the socket not used since; fd 5
  opened:
    #0 connect
  TLS object freed:
    #0 SSL_free
    #1 forget+0x4 (/bin/x+0x5)
  connections:
    fd 5  127.0.0.1:4000 -> 127.0.0.1:443  established  age 40s  idle 39s
      TLSv1.3  TLS_AES_256_GCM_SHA384  server name api.test  ALPN http/1.1  full handshake in 2.3ms  data in 102400 B  data out 71 B  pending 512 B  close_notify sent, received  freed 36s ago
  to do: close the socket, too.

==7== LEAK tls-split: 3 TLS objects of closed connections to api.test:443, oldest 40s
  their sockets were closed at least 35s ago, they were never freed
  opened:
    #0 connect
  socket closed:
    #0 close
  to do: free them.

==7== RISK tls-handshake: 1 connection to api.test:443, oldest 40s
  the TLS handshake began 35s ago and has not finished; fd 6
  connections:
    fd 6  127.0.0.1:4001 -> 127.0.0.1:443  established  age 40s
      TLS handshake begun 35s ago, not finished  server name api.test
    fd 7  127.0.0.1:4002 -> 10.0.0.7:80  established  age 40s

TLS through memory: 2 TLS objects whose connections are not known to the TLS library (memory BIO): those are reported as TCP

SUMMARY: poolguard: 1 leaked connection in 1 place, 3 leaked TLS objects in 1 place
"""


def test_parser_reads_the_tls_of_connections():
    found = report.parse(TLS_SAMPLE)
    done, begun, plain = [c.tls for c in found.connections]
    assert done == report.Tls(
        version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", server_name="api.test",
        alpn="http/1.1", handshake="full", data_in=102400, data_out=71, pending=512,
        close_notify="sent, received", freed="36s")
    assert begun == report.Tls(begun="35s", server_name="api.test")
    assert plain is None
    assert [note.split(":")[0] for note in found.notes] == ["TLS through memory"]


def test_parser_tells_tls_objects_from_connections():
    found = report.parse(TLS_SAMPLE)
    assert [(g.kind, g.cls, g.count, g.objects, g.host) for g in found.groups] == [
        ("LEAK", "tls-split", 1, 0, "api.test:443"), ("LEAK", "tls-split", 0, 3, "api.test:443"),
        ("RISK", "tls-handshake", 1, 0, "api.test:443")]
    assert [sorted(g.stacks) for g in found.of("LEAK")] == [
        ["TLS object freed", "opened"], ["opened", "socket closed"]]
    assert (found.leaked, found.leaked_objects) == (1, 3)


def test_parser_reads_names_and_aliases_of_hosts():
    found = report.parse(TLS_SAMPLE)
    assert found.hosts["api.test:443"]["opened"] == "5"
    assert found.hosts["10.0.0.7:80"]["open"] == "1"
    assert found.aliases == {"10.0.0.7:80": "www.example.com"}


@pytest.mark.parametrize("line", ["TLSv1.3  X  data in 5 B  data in 5 B", "TLSv1.3  X  odd",
                                  "TLSv1.3", "TLS handshake begun"])
def test_parser_refuses_lines_of_tls_that_it_does_not_know(line):
    with pytest.raises(ValueError):
        report.parse_tls(line)


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
