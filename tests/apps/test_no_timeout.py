"""Threads that wait in connect() or a read that nothing but the peer ends, and those that do not."""
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

import faults
import report
from formats import Asks, one
from json_report import of
from matrix import CLIENTS, JAVA, PYTHON
from process import Program, until
from scene import children

LEAK_AFTER_MS = 300
CALLS = ["read", "readv", "recv", "recvfrom", "recvmsg", "recvmmsg"]
EVIDENCE = re.compile(r"(?:asked \S+ ago, nothing came; |the answer stopped \S+ ago; )?thread (\d+) (?:is|has been) blocked in (\w+)\(\)")


@pytest.fixture
def start(guard, home):
    """Starts a client under the guard; ended with the test."""
    started = []

    def run(argv, *, ready="READY", sig=None, env=None, **options):
        options = {"leak_after": f"{LEAK_AFTER_MS}ms", **options}
        guard.signal = getattr(signal, f"SIG{sig or 'USR1'}")
        started.append(Program(argv, env or guard.env(**options), home / "stderr"))
        if ready:
            started[-1].expect(ready)
        pid = started[-1].pid
        until(lambda: guard.ask(pid).returncode == 0, "its first connection", pause=0.05)
        return started[-1]

    yield run
    for app in started:
        app.__exit__()


@pytest.fixture
def blocks(start, bindir):
    """The C client (clients/blocks.c)."""
    def run(server, call, *words, **options):
        return start([Path(bindir) / "blocks", server.host, server.port, call, *words], **options)

    return run


def answer(server, data=b"x"):
    """The peer of each connection says something at last."""
    for conn in until(lambda: server.kept, "a connection"):
        conn.sendall(data)


def in_json(guard, pid):
    return one(guard.printed(pid, "json"))


def threads(pid):
    return sorted(map(int, os.listdir(f"/proc/{pid}/task")))


def assert_no_timeout(guard, app, call, tid=None):
    """Both reports come to it, and name the thread and the call."""
    guard.verdict(app.pid, "RISK", "no-timeout", 1)
    for how, found in guard.both(app.pid).items():
        [group] = found.of("RISK")
        assert group.cls == "no-timeout" and len(group.connections) == 1, found.text
        thread, named = EVIDENCE.match(group.evidence[0]).groups()
        assert named == call and int(thread) in threads(app.pid), f"by {how}:\n{found.text}"
        assert int(thread) == (tid or int(thread)), found.text
        assert group.connections[0].rest.endswith(f"blocked: thread {thread} in {call}()")
        assert group.todo and group.frames and found.leaked == 0, found.text


def rested(guard, app):
    """Waits until its connections have not been used for well over leak_after."""
    def idle():
        found = in_json(guard, app.pid)["connections"]
        return found and min(c["idle_ms"] for c in found) > 2 * LEAK_AFTER_MS

    until(idle, "connections that lie idle", pause=0.05)


def assert_healthy(guard, app):
    """Neither report finds anything, after more than leak_after."""
    rested(guard, app)
    for how, found in guard.both(app.pid).items():
        assert not found.of("RISK") and not found.of("LEAK"), f"by {how}:\n{found.text}"
        assert "could not be looked at" not in found.text, found.text


# --- reads in C -----------------------------------------------------------------------------------

@pytest.mark.parametrize("call, named", [*zip(CALLS, CALLS), ("syscall", "read"), ("peek", "recv")])
def test_a_read_without_end_of_the_only_thread_is_told_by_both_reports(guard, blocks, holds, call,
                                                                       named):
    app = blocks(holds, call, "connect", "ask")
    assert_no_timeout(guard, app, named, app.pid)
    assert_no_timeout(guard, app, named, app.pid)  # the first signal has changed nothing
    answer(holds)
    assert app.hear() == "1 bytes, 0 signals" and app.finish() == 0


@pytest.mark.parametrize("words", [["receive", "connect", "ask"], ["connect", "receive", "ask"],
                                   ["connect", "ask", "dup", "receive"]])
def test_a_read_with_a_timeout_is_not(guard, blocks, holds, words):
    assert_healthy(guard, blocks(holds, "recv", *words))


@pytest.mark.parametrize("words", [["receive", "connect", "never", "ask"],
                                   ["receive", "never", "connect", "ask"],
                                   ["send", "connect", "ask"], ["connect", "ask", "dup"]])
def test_a_timeout_that_was_taken_away_or_is_for_writes_does_not_count(guard, blocks, holds, words):
    assert_no_timeout(guard, blocks(holds, "recv", *words), "recv")


def test_who_polls_before_it_reads_is_not_told_of(guard, blocks, holds):
    assert_healthy(guard, blocks(holds, "poll", "connect", "ask"))


def test_who_has_not_asked_anything_is_not_told_of(guard, blocks, holds):
    assert_healthy(guard, blocks(holds, "recv", "connect"))


def test_the_answer_comes_to_who_was_interrupted_by_a_report(guard, blocks, holds):
    app = blocks(holds, "recv", "connect", "ask")
    guard.verdict(app.pid, "RISK", "no-timeout", 1)
    for _ in range(5):
        guard.by_signal(app.pid)
    answer(holds, b"twelve bytes")
    assert app.hear() == "12 bytes, 0 signals" and app.finish() == 0


# --- connect in C ---------------------------------------------------------------------------------

def test_a_connect_without_end_is_told_by_both_reports(guard, blocks, deaf):
    app = blocks(deaf, "connect")
    assert_no_timeout(guard, app, "connect", app.pid)
    deaf.release()
    assert app.hear() == "0 bytes, 0 signals" and app.finish() == 0


def test_a_connect_with_a_timeout_is_not(guard, blocks, deaf):
    assert_healthy(guard, blocks(deaf, "connect", "send"))
    assert_no_timeout(guard, blocks(deaf, "connect", "receive"), "connect")


# --- threads --------------------------------------------------------------------------------------

def test_a_worker_is_told_of_while_the_first_thread_joins_it(guard, blocks, holds):
    app = blocks(holds, "recv", "connect", "ask", "worker", 1)
    [worker] = [tid for tid in threads(app.pid) if tid != app.pid]
    assert_no_timeout(guard, app, "recv", worker)
    answer(holds)
    assert app.hear() == "1 bytes, 0 signals" and app.finish() == 0


@pytest.mark.parametrize("server, call, words", [("holds", "read", ["connect", "ask"]),
                                                 ("deaf", "connect", [])])
def test_several_threads_are_told_of_together(guard, blocks, request, server, call, words):
    app = blocks(request.getfixturevalue(server), call, *words, "worker", 5, format="json")
    guard.verdict(app.pid, "RISK", "no-timeout", 5)
    workers = [tid for tid in threads(app.pid) if tid != app.pid]
    for found in (in_json(guard, app.pid), Asks(guard).signalled(app.pid)):
        [group] = of(found, "no-timeout")
        assert group["evidence"].startswith(
            "5 threads have been blocked in connect() for at least " if call == "connect" else
            f"5 threads are blocked in {call}(), nothing came for at least ")
        blocked = [c["blocked"] for c in found["connections"]]
        assert sorted(b["thread"] for b in blocked) == workers
        assert {b["call"] for b in blocked} == {call}


# --- what the formats say -------------------------------------------------------------------------

@pytest.mark.parametrize("words, flags", [([], []), (["receive"], ["read-timed"]),
                                          (["send"], ["write-timed"]),
                                          (["send", "receive"], ["read-timed", "write-timed"])])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_timeouts_that_the_kernel_has_are_those_of_the_record(guard, blocks, holds, words, flags,
                                                                  when):
    words = [*words, "connect", "ask"] if when == "before" else ["connect", *words, "ask"]
    app = blocks(holds, "recv", *words, format="json")
    rested(guard, app)
    found = Asks(guard).agreed(app.pid)
    [connection] = found["connections"]
    assert connection["flags"] == flags
    assert connection["blocked"] == {"thread": app.pid, "call": "recv"}
    assert len(of(found, "no-timeout")) == ("read-timed" not in flags)
    [by_signal] = Asks(guard).signalled(app.pid)["connections"]
    assert by_signal["flags"] == flags


# --- the program's own handler --------------------------------------------------------------------

def test_a_handler_that_restarts_calls_hides_nothing(guard, blocks, holds):
    app = blocks(holds, "recv", "connect", "ask", "restarts")
    assert_no_timeout(guard, app, "recv", app.pid)
    answer(holds)
    assert app.hear() == "1 bytes, 1 signals" and app.finish() == 0


def test_who_is_cut_short_by_the_signal_is_told_of_by_the_command(guard, blocks, holds):
    """EINTR, as without us: the program was in no call any more when the report was made."""
    app = blocks(holds, "recv", "connect", "ask", "handler")
    guard.verdict(app.pid, "RISK", "no-timeout", 1)
    assert not guard.by_signal(app.pid).of("RISK")
    guard.verdict(app.pid, "RISK", "no-timeout", 1)
    answer(holds)
    assert app.hear() == "1 bytes, 1 signals" and app.finish() == 0


def test_what_may_not_be_looked_at_is_noted(guard, blocks, holds):
    """As by Yama, where only a parent may trace."""
    app = blocks(holds, "recv", "connect", "ask")
    guard.verdict(app.pid, "RISK", "no-timeout", 1)
    hidden = f"/proc/{app.pid}/task/{app.pid}/syscall"
    run = subprocess.run(
        ["unshare", "-m", "sh", "-c",
         f"mount --bind /dev/null {hidden} || exit 99; exec {guard.command} report {app.pid}"],
        env={"PATH": os.environ["PATH"], "POOLGUARD_STATE_DIR": str(guard.state)},
        capture_output=True, text=True, timeout=30)
    if run.returncode in (1, 99):
        pytest.skip(f"no mounts here: {run.stderr}")
    assert "no-timeout: 1 connection" not in run.stdout, run.stdout
    assert "which calls its threads are in could not be looked at" in run.stdout, run.stdout


CONTAINER = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


def test_threads_of_a_container_are_told_of_by_their_own_ids(guard, home, bindir, holds):
    if subprocess.run([*CONTAINER, "true"], capture_output=True, timeout=30).returncode:
        pytest.skip("no namespaces here")
    with Program([*CONTAINER, Path(bindir) / "blocks", holds.host, holds.port, "recv", "connect",
                  "ask", "worker", 1], guard.env(leak_after=f"{LEAK_AFTER_MS}ms"), home / "err") as app:
        app.expect("READY")
        [pid] = children(app.pid)
        guard.verdict(pid, "RISK", "no-timeout", 1)
        os.kill(pid, guard.signal)
        by_signal = until(lambda: report.parse(guard.reports(1)), "a report by signal")
        for found in (guard.by_command(pid), by_signal):
            [group] = found.of("RISK")
            assert EVIDENCE.match(group.evidence[0]).groups() == ("2", "recv"), found.text
            assert "thread 2  blocked: thread 2 in recv()" in found.text


# --- languages and tools --------------------------------------------------------------------------

PY_SOCKET = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=eval(sys.argv[3]))
s.sendall(b"hello")
print("READY", flush=True)
s.recv(10)
"""
PY_CONNECT = """
import socket, sys
print("READY", flush=True)
socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=eval(sys.argv[3]))
"""
PY_HTTP_CLIENT = """
import http.client, sys
c = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=eval(sys.argv[3]))
c.request("GET", "/")
print("READY", flush=True)
c.getresponse()
"""
PY_REQUESTS = """
import requests, sys
print("READY", flush=True)
requests.get(f"http://{sys.argv[1]}:{sys.argv[2]}/", timeout=eval(sys.argv[3]))
"""
PY_POOL = """
import concurrent.futures, requests, sys
print("READY", flush=True)
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    url = f"http://{sys.argv[1]}:{sys.argv[2]}/"
    list(pool.map(lambda _: requests.get(url, timeout=eval(sys.argv[3])), range(4)))
"""


def python(program, server, timeout):
    return [PYTHON, "-c", program, server.host, server.port, timeout]


PY_STALLED = """
import http.client, sys
c = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=eval(sys.argv[3]))
c.request("GET", "/")
response = c.getresponse()
assert response.read(6) == b"READY\\n"
print("READY", flush=True)
response.read(1)
"""
PY_HTTPS = """
import http.client, ssl, sys
context = ssl._create_unverified_context()
c = http.client.HTTPSConnection(sys.argv[1], int(sys.argv[2]), timeout=eval(sys.argv[3]),
                                context=context)
c.request("GET", "/")
print("READY", flush=True)
c.getresponse()
"""


def test_an_answer_that_stops_half_way_is_told_of_unless_there_is_a_timeout(guard, start, stalls):
    app = start(python(PY_STALLED, stalls, "None"))
    assert_no_timeout(guard, app, "recv")
    for found in guard.both(app.pid).values():
        assert found.of("RISK")[0].evidence[0].startswith("the answer stopped "), found.text
    assert_healthy(guard, start(python(PY_STALLED, stalls, "3600")))


def test_a_thread_that_waits_inside_tls_is_told_of_unless_it_has_a_timeout(guard, start, certificate):
    """Session tickets have come since the request, and are no answer to it."""
    server = faults.TlsHolds(certificate)
    try:
        assert_no_timeout(guard, start(python(PY_HTTPS, server, "None")), "read")
        assert_healthy(guard, start(python(PY_HTTPS, server, "3600")))
    finally:
        server.stop()


@pytest.mark.parametrize("program", [PY_SOCKET, PY_HTTP_CLIENT, PY_REQUESTS],
                         ids=["socket", "http.client", "requests"])
def test_python_is_told_of_unless_it_has_a_timeout(guard, start, holds, program):
    assert_no_timeout(guard, start(python(program, holds, "None")), "recv")
    assert_healthy(guard, start(python(program, holds, "3600")))


def test_python_that_connects_is_told_of_unless_it_has_a_timeout(guard, start, deaf):
    assert_no_timeout(guard, start(python(PY_CONNECT, deaf, "None")), "connect")
    assert_healthy(guard, start(python(PY_CONNECT, deaf, "3600")))


def test_a_pool_of_threads_of_python_is_told_of_unless_it_has_a_timeout(guard, start, holds):
    app = start(python(PY_POOL, holds, "None"))
    guard.verdict(app.pid, "RISK", "no-timeout", 4)
    for found in guard.both(app.pid).values():
        [group] = found.of("RISK")
        assert "4 threads are blocked in recv(), nothing came for" in group.evidence[0], found.text
    assert_healthy(guard, start(python(PY_POOL, holds, "3600")))


SUBSCRIBERS = """
import socket, sys, threading
def subscribe(heard):
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    s.sendall(b"subscribe")
    assert s.recv(5) == b"ready"
    heard.set()
    s.recv(100)
for _ in range(4):
    heard = threading.Event()
    threading.Thread(target=subscribe, args=(heard,), daemon=True).start()
    heard.wait()
    threading.Event().wait(0.1)  # so that each was passed over by the next
print("READY", flush=True)
sys.stdin.readline()
"""


def test_threads_that_wait_for_news_leak_nothing(guard, start, answers):
    """Nothing is due, and others were opened meanwhile; but somebody listens."""
    assert_healthy(guard, start([PYTHON, "-c", SUBSCRIBERS, answers.host, answers.port]))


@pytest.mark.parametrize("timeout", [0, 3600000])
def test_java_is_told_of_unless_it_has_a_timeout(guard, start, holds, timeout):
    app = start([*JAVA, CLIENTS / "JavaReads.java", holds.host, holds.port, timeout], leak_after="1s")
    if timeout:
        assert_healthy(guard, app)
    else:
        assert_no_timeout(guard, app, "read")
    answer(holds, b"HTTP/1.1 204 No Content\r\n\r\n")
    app.expect("204")
    assert app.finish() == 0


PERL = """
use IO::Socket::INET;
$| = 1;
my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], @ARGV[2 .. $#ARGV]) or die;
print $s "hello\\n";
$s->flush;
print "READY\\n";
<$s>;
"""
PERL_HTTP_TINY = """
use HTTP::Tiny;
$| = 1;
print "READY\\n";
HTTP::Tiny->new(timeout => 3600)->get("http://$ARGV[0]:$ARGV[1]/");
"""
RUBY = """
require "socket"
s = TCPSocket.new(ARGV[0], ARGV[1].to_i)
s.puts "hello"
puts "READY"
STDOUT.flush
s.gets
"""
RUBY_NET_HTTP = """
require "net/http"
puts "READY"
STDOUT.flush
Net::HTTP.start(ARGV[0], ARGV[1].to_i, read_timeout: nil) { |http| http.get("/") }
"""
PHP = """
$s = stream_socket_client("tcp://$argv[1]:$argv[2]");
fwrite($s, "hello\\n");
echo "READY\\n";
fgets($s);
"""
PHP_HTTP = """
echo "READY\\n";
@file_get_contents("http://$argv[1]:$argv[2]/");
"""
NODE = """
require("http").get({host: process.argv[1], port: process.argv[2]}).on("error", () => {});
console.log("READY");
"""


def test_a_plain_read_of_perl_is_told_of_even_with_a_timeout_that_is_for_connect(guard, start, holds):
    for words in ([], ["Timeout", 3600]):
        assert_no_timeout(guard, start(["perl", "-e", PERL, holds.host, holds.port, *words]), "read")


@pytest.mark.parametrize("argv, sig", [
    (["perl", "-e", PERL_HTTP_TINY], "USR1"),
    (["ruby", "-e", RUBY], "PWR"),
    (["ruby", "-e", RUBY_NET_HTTP], "PWR"),
    (["php", "-r", PHP], "USR1"),
    (["php", "-r", PHP_HTTP], "USR1"),
    (["node", "-e", NODE], "USR2"),
], ids=["perl-http-tiny", "ruby-socket", "ruby-net-http", "php-streams", "php-http", "node"])
def test_what_polls_before_it_reads_is_not_told_of(guard, start, holds, argv, sig):
    assert_healthy(guard, start([*argv, holds.host, holds.port], sig=sig, signal=sig))


def test_curl_is_not_told_of(guard, start, holds):
    assert_healthy(guard, start(["curl", "-s", f"http://{holds.host}:{holds.port}/"], ready=None))


def test_a_slow_query_of_psql_is_not_told_of(guard, start, postgres):
    app = start(["psql", "-h", postgres.host, "-p", postgres.port, "-U", "postgres", "-At",
                 "-c", "select 'READY'", "-c", "select pg_sleep(3600)"])
    assert_healthy(guard, app)


# --- redis-cli ------------------------------------------------------------------------------------

def redis_cli(start, redis, *words):
    return start(["redis-cli", "-h", redis.host, "-p", redis.port, *words], ready=None)


def test_redis_cli_that_waits_for_a_list_is_told_of(guard, start, redis):
    """BLPOP with a timeout of 0: the program itself has bounded nothing."""
    app = redis_cli(start, redis, "BLPOP", "nothing-there", 0)
    assert_no_timeout(guard, app, "recv")


def test_redis_cli_that_has_subscribed_is_not(guard, start, redis):
    """Its question was answered."""
    app = redis_cli(start, redis, "SUBSCRIBE", "news")
    until(lambda: app.hear() == "1", "the subscription")
    assert_healthy(guard, app)
