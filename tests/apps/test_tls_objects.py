"""The lives that TLS objects of OpenSSL have: whatever a program does with them, it gets the answers
that it gets bare, and the report says of each connection what is true of it.
"""
import pytest

from faults import Holds, PlainHttp, Trickles
from scene import children, scenario

versions = pytest.mark.parametrize("version", ["1.2", "1.3"])
CIPHERS = {"1.2": "ECDHE-RSA-AES256-GCM-SHA384", "1.3": "TLS_AES_256_GCM_SHA384"}


# --- what is said ---------------------------------------------------------------------------------

@versions
@scenario()
def test_an_outbound_connection_is_told_with_its_facts(t, version):
    t.ctx(version)
    t.dial()
    t.new()
    t.client.do("alpn 1 http/1.1")
    t.shake()
    t.says(version=f"TLSv{version}", cipher=CIPHERS[version], server_name="api.test",
           alpn="http/1.1", handshake="full", data_in=0, data_out=0, pending=None,
           close_notify=None, freed=None)
    t.talk(out=102400, back=71)
    t.says(data_in=71, data_out=102400)
    t.client.do("facts 1")


@versions
@scenario(side="server")
def test_an_inbound_connection_is_told_with_its_facts(t, version):
    t.ctx(version)
    t.dial()
    t.new()
    t.client.do("alpn 1 http/1.1")
    t.shake()
    t.talk(out=102400, back=71)
    t.says(version=f"TLSv{version}", cipher=CIPHERS[version], server_name="api.test",
           alpn="http/1.1", handshake="full", data_in=102400, data_out=71)


@scenario()
def test_a_name_that_was_not_sent_is_not_told(t):
    t.ctx()
    t.open(name=None)
    t.says(server_name=None, alpn=None, version="TLSv1.3")


@scenario()
def test_a_name_may_be_as_long_as_names_can_be(t):
    name = ".".join(["a" * 50] * 4) + ".test"
    t.ctx()
    t.open(name=name)
    t.says(server_name=name)
    for report in t.reports():
        assert list(report.hosts) == [f"{name}:{t.server.port}"], report.text


@versions
@scenario()
def test_a_resumed_handshake_is_told_as_that(t, version):
    t.ctx(version)
    t.open(1)
    t.talk(1)
    t.client.do("save 1", "1")
    t.dial(2)
    t.new(2)
    t.client.do("resume 2", "1")
    t.shake(2)
    t.talk(2, 5, 6)
    t.says(2, handshake="resumed", data_in=6, data_out=5)
    t.says(1, handshake="full", data_in=50, data_out=100)
    t.client.do("facts 2")


@scenario()
def test_early_data_is_counted_as_data(t):
    t.ctx("1.3 early")
    t.open(1)
    t.talk(1)
    t.client.do("save 1", "1 16384")
    t.dial(2)
    t.new(2)
    t.client.do("resume 2", "1")
    t.client.do("early-write 2 33", "33")
    t.server.do("early-read 2 100", "1 33")
    t.shake(2)
    t.talk(2, 5, 6)
    t.says(2, handshake="resumed", data_in=6, data_out=38)


@scenario(side="server")
def test_early_data_is_counted_by_its_receiver(t):
    t.ctx("1.3 early")
    t.open(1)
    t.talk(1)
    t.client.do("save 1", "1 16384")
    t.dial(2)
    t.new(2)
    t.client.do("resume 2", "1")
    t.client.do("early-write 2 33", "33")
    t.server.do("early-read 2 100", "1 33")
    t.shake(2)
    t.talk(2, 5, 6)
    t.says(2, handshake="resumed", data_in=38, data_out=6)


FORGED = "x%0a==1==%20LEAK%20peer-closed:%201%20connection%0a%1b[31m"


@pytest.mark.parametrize("what", ["name", "alpn"])
@scenario(side="server", leak_after="1h")
def test_what_a_peer_says_can_not_forge_a_report(t, what):
    t.ctx()
    t.dial()
    t.new(name=None)
    t.client.do(f"{what} 1 {FORGED}")
    t.shake()
    t.says(version="TLSv1.3")
    for report in t.reports():
        assert not report.of("LEAK") and "\x1b" not in report.text, report.text
        assert not [line for line in report.text.splitlines() if line.startswith("==1==")]


# --- what is counted ------------------------------------------------------------------------------

@versions
@scenario()
def test_what_is_left_of_a_record_is_pending(t, version):
    t.ctx(version)
    t.open()
    t.server.do("write 1 1000", "1000")
    t.client.do("read 1 100", "100")
    t.client.do("pending 1", "900")
    t.says(data_in=100, pending=900)
    t.client.do("read 1 5000", "900")
    t.says(data_in=1000, pending=None)


@scenario()
def test_bytes_that_are_only_peeked_at_are_not_counted(t):
    t.ctx()
    t.open()
    t.server.do("write 1 1000", "1000")
    t.client.do("peek 1 100", "100")
    t.client.do("peek-ex 1 100", "100")
    t.says(data_in=0, pending=1000)
    t.client.do("read 1 10", "10")
    t.says(data_in=10, pending=990)


@scenario()
def test_the_calls_with_ex_are_counted(t):
    t.ctx()
    t.open()
    t.client.do("write-ex 1 1000", "1000")
    t.server.do("read-ex 1 600", "600")
    t.server.do("read-ex 1 600", "400")
    t.server.do("write-ex 1 7", "7")
    t.client.do("read-ex 1 600", "7")
    t.says(data_in=7, data_out=1000)


@scenario()
def test_a_write_that_had_to_wait_is_counted_once(t):
    t.ctx()
    t.open()
    t.client.do("nonblock 1")
    t.both("pour 1 1000000", "drain 1 1000000", "1000000")
    t.says(data_out=1000000)


@scenario()
def test_reads_that_give_nothing_count_nothing(t):
    t.ctx()
    t.open()
    t.client.do("nonblock 1")
    for _ in range(3):
        t.client.do("read 1 100", "-1 WANT_READ EAGAIN")
    t.says(data_in=0, data_out=0)


@scenario()
def test_sendfile_counts_or_is_refused_as_it_is_bare(t):
    t.ctx()
    t.open()
    sent = int(t.client.do("sendfile 1 100").split()[0])
    t.says(data_out=max(sent, 0))


# --- ends -----------------------------------------------------------------------------------------

@versions
@scenario()
def test_close_notify_is_told_by_direction(t, version):
    t.ctx(version)
    t.open(1)
    t.client.do("shutdown 1", "0")
    t.says(close_notify="sent")
    t.server.do("read 1 100", "0 ZERO")
    t.server.do("shutdown 1", "1")
    t.client.do("shutdown 1", "1")
    t.says(close_notify="sent, received")
    t.open(2)
    t.server.do("shutdown 2", "0")
    t.client.do("read 2 100", "0 ZERO")
    t.says(2, close_notify="received")


@versions
@pytest.mark.parametrize("option", ["", "ignore-eof"])
@scenario()
def test_an_end_without_close_notify_is_not_told_as_received(t, version, option):
    t.ctx(version, client=option)
    t.open()
    t.talk()
    t.server.do("close 1")
    t.client.do("read 1 100", "0 ZERO" if option else "0 SSL")
    if option:
        t.says(close_notify=None, data_in=50)
    for report in t.reports():  # without it, an alert is sent, which is answered by a reset
        assert "close_notify" not in report.text


@pytest.mark.parametrize("by", ["object", "context"])
@scenario()
def test_a_quiet_shutdown_has_sent_nothing(t, by):
    t.ctx(client="quiet" if by == "context" else "")
    t.open()
    if by == "object":
        t.client.do("quiet 1")
    t.client.do("shutdown 1", "1")
    t.says(close_notify=None)


@versions
@scenario()
def test_an_alert_that_is_fatal_is_no_close_notify(t, version):
    """The server does not know the client's certificate."""
    t.ctx(version, server="demands")
    t.dial()
    t.new()
    t.server.say("accept 1")
    t.client.do("connect 1")
    t.client.do("read 1 100")
    t.server.did("accept 1", "-1 SSL")
    for report in t.reports():
        assert "close_notify" not in report.text, report.text


@scenario()
def test_an_end_that_is_only_pretended_is_not_told(t):
    """As servers do that want no answer before they free."""
    t.ctx()
    t.open()
    t.talk()
    t.client.do("pretend 1")
    t.client.do("shutdown 1", "1")
    t.says(close_notify=None, data_in=50)


@scenario()
def test_an_object_that_is_freed_is_told_as_that_while_the_socket_is_open(t):
    t.ctx()
    t.open()
    t.talk()
    t.says(freed=None)
    t.client.do("free 1")
    for report in t.reports():
        tls = t.connection(report, 1).tls
        assert tls.freed and (tls.data_in, tls.data_out) == (50, 100), report.text
    t.client.do("close 1", "0")
    for report in t.reports():
        assert report.open == 0 and not report.groups, report.text


@scenario()
def test_failing_calls_leave_errno_and_the_queue_of_errors_as_they_do_bare(t):
    """What is compared is all that both ends say."""
    t.ctx()
    t.open(1)
    t.server.do("put 1 this-is-no-record-at-all")
    t.client.do("read 1 100", "-1 SSL")
    t.client.do("read 1 100")
    t.client.do("write 1 100")
    t.client.do("shutdown 1")
    t.open(2)
    t.server.do("close 2")
    t.client.do("read 2 100", "0 SSL")
    t.client.do("write 2 100")
    t.client.do("write 2 100")
    t.client.do("shutdown 2")
    t.client.do("renegotiate 2")
    t.client.do("keyupdate 2")
    t.client.do("new 3 client")
    t.client.do("read 3 10", "-1")
    t.client.do("write 3 10", "-1")
    t.client.do("connect 3")
    t.client.do("shutdown 3")
    t.client.do("pending 3")
    t.client.do("sendfile 3 10")
    t.client.do("early-write 3 10")
    t.open(4)
    t.client.do("close 4")
    t.client.do("write 4 10", "-1 SYSCALL EBADF")
    t.client.do("read 4 10", "-1 SYSCALL EBADF")
    t.client.do("shutdown 4")
    t.client.do("free 4")
    t.client.do("free 5")  # NULL


# --- handshakes -----------------------------------------------------------------------------------

@versions
@scenario()
def test_a_handshake_that_has_to_wait_again_and_again_is_one(t, version):
    slow = Trickles(t.server.port)
    t.ctx(version)
    t.client.do(f"dial 1 {slow.port}")
    t.server.do("take 1")
    t.new()
    t.client.do("nonblock 1")
    t.both("handshake 1", "accept 1")
    t.talk(1, 10, 20)
    t.says(handshake="full", data_in=20, data_out=10)
    slow.stop()


@scenario(leak_after="300ms")
def test_a_handshake_that_is_never_answered_is_a_risk(t):
    holds = Holds()
    t.ctx()
    t.client.do(f"dial 1 {holds.port}")
    t.client.do("new 1 client")
    t.client.do("name 1 slow.test")
    t.client.do("use 1 fd")
    t.client.do("nonblock 1")
    t.client.do("connect 1", "-1 WANT_READ")
    for group in t.told("RISK", "tls-handshake", count=1):
        [connection] = group.connections
        assert connection.tls.begun and connection.tls.version is None
        assert connection.tls.server_name == "slow.test"
        assert group.host == f"slow.test:{holds.port}"
    t.client.do("free 1")
    t.client.do("close 1", "0")
    t.says_nothing_wrong()
    holds.stop()


@pytest.mark.parametrize("stack", ["openssl", "gnutls"])
@scenario(leak_after="300ms")
def test_a_handshake_that_blocks_is_known_meanwhile(t, stack):
    holds = Holds()
    t.ctx()
    t.client.do(f"dial 1 {holds.port}")
    t.client.do("new 1 client")
    t.client.do("name 1 slow.test")
    t.client.do("use 1 fd")
    t.client.do("behind connect 1", "OK")
    for group in t.told("RISK", "tls-handshake", count=1):
        assert group.host == f"slow.test:{holds.port}"
    holds.release()
    t.client.did("connect 1")
    t.client.do("free 1")
    t.client.do("close 1", "0")
    t.says_nothing_wrong()
    holds.stop()


@scenario()
def test_a_thread_that_is_cancelled_in_a_handshake_leaves_nothing_behind(t):
    holds = Holds()
    t.ctx()
    t.client.do(f"dial 1 {holds.port}")
    t.client.do("new 1 client")
    t.client.do("use 1 fd")
    t.client.do("cancel 1", "CANCELED")
    t.says(1, version=None, handshake=None)
    t.client.do("free 1")
    t.client.do("close 1", "0")
    for report in t.reports():
        assert report.open == 0 and not report.groups, report.text
    t.open(2)
    t.talk(2)
    t.says(2, data_in=50, data_out=100)
    holds.stop()


@scenario(side="server", leak_after="300ms")
def test_a_client_that_never_says_hello_is_a_risk_for_its_server(t):
    t.ctx()
    t.dial()
    t.server.do("new 1 server")
    t.server.do("use 1 fd")
    t.server.do("nonblock 1")
    t.server.do("accept 1", "-1 WANT_READ")
    t.told("RISK", "tls-handshake", count=1)


@scenario()
def test_a_handshake_with_what_speaks_no_tls_fails_as_it_does_bare(t):
    http = PlainHttp()
    t.ctx()
    t.client.do(f"dial 1 {http.port}")
    t.client.do("new 1 client")
    t.client.do("use 1 fd")
    t.client.do("connect 1", "-1 SSL")
    t.client.do("connect 1")
    t.client.do("write 1 10")
    t.client.do("shutdown 1")
    for report in t.reports():
        tls = t.connection(report, 1).tls
        assert tls is None or tls.version is None and tls.handshake is None, report.text
    t.client.do("free 1")
    t.client.do("close 1", "0")
    http.stop()


@scenario()
def test_a_handshake_that_is_refused_by_an_alert_fails_as_it_does_bare(t):
    t.ctx("1.3", server="1.2")
    t.dial()
    t.new()
    t.both("connect 1", "accept 1", "-1 SSL")
    for report in t.reports():
        tls = t.connection(report, 1).tls
        assert tls is None or tls.version is None and tls.handshake is None, report.text
    t.client.do("shutdown 1")
    t.client.do("free 1")


@scenario()
def test_after_the_client_has_renegotiated_it_is_the_same_connection(t):
    t.ctx("1.2 renegotiate")
    t.open()
    t.talk()
    t.client.do("renegotiate 1", "1")
    t.server.say("drain 1 1")
    t.client.do("connect 1", "1")
    t.client.do("write 1 1", "1")
    t.server.did("drain 1", "1")
    t.talk()
    t.says(handshake="full", data_in=100, data_out=201, version="TLSv1.2")


@scenario()
def test_after_the_server_has_renegotiated_it_is_the_same_connection(t):
    t.ctx("1.2")
    t.open()
    t.talk()
    t.server.do("renegotiate 1", "1")
    t.server.do("accept 1", "1")
    t.server.do("write 1 10", "10")
    t.client.do("drain 1 10", "10")
    t.both("write 1 10", "drain 1 10", "10")
    t.talk()
    t.says(handshake="full", data_in=110, data_out=210, version="TLSv1.2")


@scenario()
def test_key_updates_and_tickets_are_no_data(t):
    t.ctx()
    t.open()
    t.talk()
    for asking, other in ((t.client, t.server), (t.server, t.client)):
        asking.do("keyupdate 1", "1")
        asking.do("write 1 10", "10")
        other.do("drain 1 10", "10")
        other.do("write 1 10", "10")
        asking.do("drain 1 10", "10")
    t.says(data_in=70, data_out=120, handshake="full")


# --- how an object meets its socket ---------------------------------------------------------------

@pytest.mark.parametrize("way", ["fd", "socket", "mem-like", "source-sink", "socket - apart"])
@scenario()
def test_however_it_is_given_its_socket_it_is_tied_to_it(t, way):
    t.ctx()
    t.open(1, way=way)
    t.open(2, way=way, name="other.test")
    t.talk(1)
    t.talk(2, 6, 7)
    t.says(1, data_in=50, data_out=100, server_name="api.test")
    t.says(2, data_in=7, data_out=6, server_name="other.test")
    t.client.do("shutdown 1", "0")
    t.client.do("free 1")
    t.client.do("close 1", "0")
    t.talk(2, 6, 7)
    t.says(2, data_in=14, data_out=12)


@scenario(leak_after="300ms")
def test_an_object_that_closes_its_socket_itself_is_healthy(t):
    t.ctx()
    for _ in range(3):
        t.open(1, way="socket-close")
        t.talk()
        t.client.do("shutdown 1", "0")
        t.client.do("free 1")
        t.server.do("free 1")
        t.server.do("close 1")
    for report in t.reports():
        assert report.open == 0, report.text
    t.stays_healthy()


@scenario()
def test_a_chain_of_bios_that_connects_itself(t):
    t.ctx()
    t.server.do("new 1 server")
    t.server.say("take 1")
    t.client.say(f"bio-dial 1 {t.server.port}")
    t.server.did("take 1")
    t.server.do("use 1 fd")
    t.server.do("accept 1", "1")
    t.client.did("bio-dial 1", "1")
    t.client.do("bio-write 1 100", "100")
    t.server.do("drain 1 100", "100")
    t.server.do("write 1 50", "50")
    t.client.do("bio-read 1 50", "50")
    for report in t.reports():  # the bytes pass by all that can be seen
        [tls] = [c.tls for c in report.connections]
        assert tls.version == "TLSv1.3", report.text
        assert (tls.data_in, tls.data_out) in ((50, 100), (None, None)), report.text
    t.client.do("bio-free 1")
    for report in t.reports():
        assert report.open == 0, report.text


MEMORY = "TLS through memory: {} TLS object"


@scenario(leak_after="300ms")
def test_of_tls_through_memory_nothing_is_claimed_but_that_it_is_there(t):
    t.ctx()
    for slot in (1, 2):
        t.dial(slot)
        t.new(slot, way="memory")
        t.both(f"handshake {slot}", f"accept {slot}")
        t.client.do(f"write {slot} 10", "10")
        t.client.do(f"flush {slot}", "OK")
        t.server.do(f"drain {slot} 10", "10")
        t.server.do(f"write {slot} 20", "20")
        t.client.do(f"fill {slot}", "OK")
        t.client.do(f"drain {slot} 20", "20")
    for count in (2, 1, 0):
        t.says_no_tls(1)
        t.says_no_tls(2)
        for report in t.reports():
            notes = [n for n in report.notes if "memory" in n]
            assert len(notes) == bool(count), report.text
            assert not count or notes[0].startswith(MEMORY.format(count)), report.text
        if count:
            t.client.do(f"free {count}")
    t.rest(450)
    for report in t.reports():
        assert not [g for g in report.groups if g.cls.startswith("tls")], report.text


@scenario(leak_after="300ms")
def test_tls_inside_tls_is_told_once(t):
    t.ctx()
    t.open(1, name="outer.test")
    t.talk(1, 10, 10)
    t.client.do("new 2 client")
    t.server.do("new 2 server")
    t.client.do("name 2 inner.test")
    t.client.do("use 2 inside 1")
    t.server.do("use 2 inside 1")
    t.both("connect 2", "accept 2")
    t.talk(2, 1000, 500)
    for report in t.reports():
        tls = t.connection(report, 1).tls
        assert tls.version == "TLSv1.3" and tls.server_name in ("outer.test", "inner.test")
        assert tls.data_out <= 10 + 1000 + 2000, "counted twice:\n" + report.text
    t.client.do("free 2")
    t.talk(1, 10, 10)
    t.client.do("shutdown 1", "0")
    t.client.do("free 1")
    t.client.do("close 1", "0")
    t.stays_healthy()


@scenario()
def test_two_descriptors_of_one_object_claim_nothing_false(t):
    """One connection to read from, another to write to."""
    t.ctx()
    t.dial(1)
    t.dial(2)
    for peer, role in ((t.client, "client"), (t.server, "server")):
        peer.do(f"new 1 {role}")
    t.client.do("use 1 fds 2", "2")
    t.server.do("new 2 server")
    t.server.do("use 2 fds 1", "2")
    t.both("connect 1", "accept 2")
    t.client.do("write 1 100", "100")
    t.server.do("drain 2 100", "100")
    t.server.do("write 2 50", "50")
    t.client.do("drain 1 50", "50")
    for report in t.reports():
        lines = [c.tls for c in report.connections if c.tls]
        assert len(lines) >= 1 and all(tls.data_in <= 50 and tls.data_out <= 100
                                       for tls in lines), report.text
    t.client.do("free 1")
    t.client.do("close 1", "0")
    t.client.do("close 2", "0")
    for report in t.reports():
        assert not report.groups, report.text


@scenario()
def test_an_object_over_pipes_is_of_no_connection(t):
    """It shakes hands with itself in vain; the connection beside it stays plain."""
    t.ctx()
    t.dial(1)
    t.client.do("pipe 2")
    t.client.do("new 2 client")
    t.client.do("use 2 fds 2", "2")
    t.client.do("put 1 hello")
    t.client.do("connect 2", "-1 SSL")
    t.says_no_tls(1)


# --- lives ----------------------------------------------------------------------------------------

@scenario(leak_after="300ms")
def test_a_second_reference_keeps_the_object_and_the_last_free_ends_it(t):
    t.ctx()
    t.open()
    t.talk()
    t.client.do("up 1", "1")
    t.client.do("free 1")
    t.says(freed=None)
    t.talk(1, 1, 2)
    t.says(freed=None, data_in=52, data_out=101)
    t.stays_healthy()
    t.client.do("free 1")
    t.told("LEAK", "tls-split", count=1)
    t.client.do("close 1", "0")
    t.says_nothing_wrong()


@scenario()
def test_a_copy_made_before_the_handshake_is_an_object_of_its_own(t):
    t.ctx()
    t.dial(1)
    t.dial(2)
    t.client.do("new 1 client")
    t.client.do("name 1 first.test")
    t.client.do("dup 1 2", "another")
    for slot in (1, 2):
        t.server.do(f"new {slot} server")
        t.server.do(f"use {slot} fd")
        t.client.do(f"use {slot} fd")
        t.shake(slot)
        t.talk(slot, 10 * slot, slot)
    t.client.do("free 1")
    t.says(1, data_in=1, data_out=10)
    t.talk(2, 1, 1)
    t.says(2, data_in=3, data_out=21, freed=None)


@scenario(leak_after="300ms")
def test_a_copy_made_after_the_handshake_is_another_reference(t):
    t.ctx()
    t.open()
    t.client.do("dup 1 2", "the same")
    t.client.do("free 1")
    t.client.do("write 2 100", "100")
    t.says(freed=None, data_out=100)
    t.stays_healthy()
    t.client.do("free 2")
    t.told("LEAK", "tls-split", count=1)


@versions
@scenario(leak_after="300ms")
def test_an_object_that_is_cleared_counts_anew_for_its_second_connection(t, version):
    t.ctx(version)
    t.open(1)
    t.talk(1, 1000, 2000)
    t.client.do("shutdown 1", "0")
    t.server.do("read 1 10", "0 ZERO")
    t.server.do("shutdown 1", "1")
    t.client.do("shutdown 1", "1")
    t.client.do("close 1", "0")
    t.client.do("clear 1", "1")
    t.server.do("new 1 server")
    t.dial(1)
    t.client.do("use 1 fd")
    t.server.do("use 1 fd")
    t.shake(1)
    t.talk(1, 10, 20)
    t.says(1, data_in=20, data_out=10, close_notify=None)
    t.stays_healthy()


@scenario()
def test_a_new_object_at_the_address_of_an_old_one_counts_anew(t):
    t.ctx()
    for turn in range(4):
        t.open(1)
        t.talk(1, 100 + turn, turn + 1)
        t.says(data_in=turn + 1, data_out=100 + turn, close_notify=None, freed=None)
        if turn % 2:
            t.client.do("shutdown 1", "0")
        t.client.do("free 1")
        t.client.do("close 1", "0")


@scenario(leak_after="300ms")
def test_plain_bytes_before_and_after_tls_are_no_data_and_no_split(t):
    t.ctx()
    t.dial()
    t.client.do("put 1 STARTTLS")
    t.server.do("get 1 8")
    t.server.do("put 1 GO")
    t.client.do("get 1 2", "2 GO")
    t.says_no_tls()
    t.new()
    t.shake()
    t.talk()
    t.both("shutdown 1", "read 1 1", "0")
    t.server.do("shutdown 1", "1")
    t.client.do("shutdown 1", "1")
    t.client.do("free 1")
    for _ in range(6):
        t.client.do("put 1 plain")
        t.server.do("get 1 5", "5 plain")
        t.server.do("put 1 plain")
        t.client.do("get 1 5", "5 plain")
        t.rest(100)
        t.says_nothing_wrong()
    t.says(data_in=50, data_out=100, close_notify="sent, received")


@scenario(leak_after="300ms")
def test_a_second_session_over_the_same_socket_is_told_instead_of_the_first(t):
    t.ctx()
    t.open()
    t.talk(1, 1000, 2000)
    t.client.do("shutdown 1", "0")
    t.server.do("read 1 1", "0 ZERO")
    t.server.do("shutdown 1", "1")
    t.client.do("shutdown 1", "1")
    t.client.do("free 1")
    t.server.do("free 1")
    t.new(1, name="second.test")
    t.shake()
    t.talk(1, 10, 20)
    t.says(data_in=20, data_out=10, server_name="second.test", close_notify=None, freed=None)
    t.stays_healthy()


@scenario()
def test_a_number_that_is_another_connections_by_now_has_no_tls(t):
    """The socket is closed under its object; the next one has its number, and is plain."""
    t.ctx()
    t.open(1)
    t.talk(1)
    t.client.do("close 1", "0")
    t.dial(2)
    assert t.client.fd[1] == t.client.fd[2]
    t.client.do("put 2 hello")
    t.says_no_tls(2)
    t.client.do("pending 1", "0")
    t.says_no_tls(2)
    t.client.do("free 1")
    t.says_no_tls(2)
    t.client.do("put 2 hello")
    t.says_no_tls(2)


@scenario()
def test_a_socket_that_is_closed_under_a_thread_that_reads_is_not_the_next_one(t):
    t.ctx(client="ignore-eof")
    t.open(1)
    t.talk()
    t.client.do("behind read 1 100", "OK")
    t.client.do("close 1", "0")
    t.dial(2)
    assert t.client.fd[1] == t.client.fd[2]
    t.client.do("put 2 hello")
    t.server.do("close 1")
    t.client.did("read 1", "0 ZERO")
    t.says_no_tls(2)
    t.client.do("thread free 1")
    t.says_no_tls(2)
    t.client.do("put 2 hello")
    t.says_no_tls(2)


@scenario(leak_after="300ms")
def test_an_object_that_never_shook_hands_takes_no_connection_when_it_ends(t):
    """Its socket was given up, and its number is another one's, with TLS or without."""
    for slot, tls in ((2, True), (3, False)):
        holds = Holds()
        t.ctx()
        t.client.do(f"dial 1 {holds.port}")
        t.client.do("new 1 client")
        t.client.do("name 1 given-up.test")
        t.client.do("use 1 fd")
        t.client.do("nonblock 1")
        t.client.do("connect 1", "-1 WANT_READ")
        t.client.do("close 1", "0")
        t.dial(slot)
        assert t.client.fd[slot] == t.client.fd[1]
        if tls:
            t.new(slot)
            t.shake(slot)
            t.talk(slot)
        t.client.do("shutdown 1")
        t.client.do("free 1")
        t.rest(350)
        t.says_nothing_wrong()
        if tls:
            t.talk(slot)
            t.says(slot, data_in=100, data_out=200, server_name="api.test", freed=None)
            t.client.do(f"shutdown {slot}", "0")
            t.client.do(f"free {slot}")
        else:
            t.says_no_tls(slot)
        t.client.do(f"close {slot}", "0")
        holds.stop()


@scenario(side="server")
def test_an_object_that_is_cleared_forgets_the_name_of_its_last_client(t):
    t.ctx()
    t.open(1, name="first.test")
    t.talk(1)
    t.says(server_name="first.test")
    t.server.do("shutdown 1", "0")
    t.client.do("read 1 1", "0 ZERO")
    t.client.do("shutdown 1", "1")
    t.server.do("shutdown 1", "1")
    t.server.do("close 1", "0")
    t.server.do("clear 1", "1")
    t.client.do("new 1 client")
    t.dial(1)
    t.client.do("use 1 fd")
    t.server.do("use 1 fd")
    t.shake(1)
    t.says(server_name=None, data_in=0, data_out=0, close_notify=None)


@scenario()
def test_an_object_that_goes_on_over_a_twin_of_its_socket_is_tied_to_it(t):
    t.ctx()
    t.open(1)
    t.client.do("twin 1 2")
    t.client.do("close 1", "0")
    t.client.do("use 1 fd", "1")  # a number that is closed
    t.client.do("write 1 5", "-1 SYSCALL EBADF")
    t.open(3)
    t.client.do("twin 3 4")
    t.talk(3)
    t.says(3, data_in=50, data_out=100)
    t.says(4, data_in=50, data_out=100)


# --- threads, children, jumps, cancellation -------------------------------------------------------

@scenario(leak_after="300ms")
def test_an_object_may_be_used_and_freed_by_any_thread(t):
    t.ctx()
    t.open()
    t.talk()
    t.client.do("thread write 1 10", "10")
    t.server.do("drain 1 10", "10")
    t.says(data_in=50, data_out=110)
    t.client.do("thread shutdown 1", "0")
    t.client.do("thread free 1")
    t.says(close_notify="sent", data_out=110)
    t.client.do("thread close 1", "0")
    t.stays_healthy()


@scenario()
def test_a_child_may_go_on_with_the_connection(t):
    t.ctx()
    t.open()
    t.talk()
    t.client.do("fork", "FORKED")
    t.talk(1, 10, 20)
    t.says(data_in=50, data_out=100)  # of the parent, which has done nothing since
    if t.guard:
        [child] = children(t.guarded.pid)
        for report in t.reports(child):
            assert "LEAK" not in report.text and "RISK" not in report.text
    t.dial(2)
    t.new(2)
    t.shake(2)
    t.talk(2, 3, 4)
    if t.guard:
        t.says(2, pid=child, data_in=4, data_out=3, server_name="api.test")
    t.client.do("shutdown 1", "0")
    t.client.do("free 1")
    t.client.do("close 1", "0")
    t.says(data_in=50, data_out=100, close_notify=None, freed=None)


@versions
@scenario()
def test_a_thread_that_is_cancelled_in_a_read_leaves_the_object_usable(t, version):
    t.ctx(version)
    t.open()
    t.client.do("cancel 1", "CANCELED")
    t.talk()
    t.says(data_in=50, data_out=100)
    t.client.do("cancel 1", "CANCELED")
    t.client.do("thread write 1 1", "1")
    t.says(data_in=50, data_out=101)


@pytest.mark.parametrize("event", ["bio", "info"])
@scenario()
def test_after_a_jump_out_of_a_callback_everything_is_counted(t, event):
    t.ctx(server="no-tickets")  # after a jump, OpenSSL does not take them any more
    t.dial()
    t.new()
    if event == "info":
        t.client.do("on info 1 jump")
        t.client.do("connect 1", "JUMPED")
        t.both("connect 1", "accept 1")
    else:
        t.shake()
        t.client.do("on bio 1 jump")
        t.client.do("read 1 10", "JUMPED")
        t.client.do("on bio 1 jump")
        t.client.do("read 1 10", "JUMPED")
    t.talk()
    t.says(data_in=50, data_out=100)
    t.open(2)
    t.talk(2, 5, 6)
    t.says(2, data_in=6, data_out=5)
    t.client.do("put 1 x")  # and plain calls are none of TLS
    t.dial(3)
    t.client.do("put 3 hello")
    t.says_no_tls(3)


@pytest.mark.parametrize("way", ["fd", "mem-like"])
@scenario()
def test_what_a_verify_callback_does_on_other_connections_is_theirs(t, way):
    holds = Holds()
    t.ctx()
    t.client.do(f"dial 3 {holds.port}")
    t.dial(1)
    t.new(1, way=way)
    t.client.do("on verify 1 put 3 hello")
    t.server.say("accept 1")
    t.client.say("connect 1")
    t.client.did("put 3", "5")
    t.client.did("connect 1", "1")
    t.server.did("accept 1", "1")
    t.says_no_tls(3)
    t.talk()
    t.says(1, data_in=50, data_out=100)
    t.says_no_tls(3)
    t.dial(2)
    t.new(2, way=way)
    t.client.do(f"on verify 2 dial 4 {holds.port}")
    t.server.say("accept 2")
    t.client.say("connect 2")
    t.client.did("dial 4")
    t.client.did("connect 2", "1")
    t.server.did("accept 2", "1")
    t.says_no_tls(4)
    t.talk(2)
    t.says_no_tls(4)
    t.says(2, data_in=50, data_out=100, handshake="full")
    holds.stop()


@pytest.mark.parametrize("way", ["fd", "mem-like"])
@scenario(side="server")
def test_what_a_callback_uses_is_not_its_objects_that_used_nothing(t, way):
    """The only bytes that move in the call are those of another connection."""
    holds = Holds()
    t.ctx()
    t.server.do(f"dial 3 {holds.port}")
    t.dial(1)
    t.client.do("new 1 client")
    t.server.do("new 1 server")
    t.client.do("use 1 fd")
    t.server.do(f"use 1 {way}")
    t.server.do("nonblock 1")
    t.server.do("on bio 1 put 3 hello")
    t.server.say("accept 1")
    t.server.did("put 3", "5")
    t.server.did("accept 1", "-1 WANT_READ")
    t.says_no_tls(3)
    t.both("handshake 1", "handshake 1")
    t.client.do("write 1 10", "10")
    t.server.do("drain 1 10", "10")
    t.says(1, data_in=10, data_out=0)
    t.says_no_tls(3)
    holds.stop()


@pytest.mark.parametrize("way", ["fd", "mem-like"])
@scenario()
def test_what_a_callback_writes_through_another_object_is_counted_there(t, way):
    t.ctx()
    t.open(1, way=way)
    t.dial(2)
    t.new(2, way=way)
    t.client.do("on verify 2 write 1 77")
    t.server.say("accept 2")
    t.client.say("connect 2")
    t.client.did("write 1", "77")
    t.client.did("connect 2", "1")
    t.server.did("accept 2", "1")
    t.talk(2, 5, 6)
    t.says(1, data_out=77, data_in=0)
    t.says(2, data_out=5, data_in=6)
