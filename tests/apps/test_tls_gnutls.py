"""The lives of GnuTLS sessions, as test_tls_objects.py has those of OpenSSL's objects."""
import pytest

from faults import Holds, PlainHttp, Trickles
from scene import scenario

versions = pytest.mark.parametrize("version", ["1.2", "1.3"])
G = {"stack": "gnutls"}


@versions
@pytest.mark.parametrize("side", ["client", "server"])
@scenario(**G)
def test_a_connection_is_told_with_its_facts(t, version, side):
    t.ctx(version)
    t.dial()
    t.new()
    t.client.do("alpn 1 http/1.1")
    t.server.do("alpn 1 http/1.1")
    t.shake()
    t.talk(1, 1000, 70)
    data = {"data_in": 70, "data_out": 1000}
    if side == "server":
        data = {"data_in": 1000, "data_out": 70}
    t.says(version=f"TLSv{version}", alpn="http/1.1", handshake="full", close_notify=None,
           freed=None, server_name="api.test", **data)
    for report in t.reports():
        assert t.connection(report, 1).tls.cipher, report.text


@pytest.mark.parametrize("way", ["fd", "int2", "ptr", "functions"])
@scenario(**G)
def test_however_it_is_given_its_socket_it_is_tied_to_it(t, way):
    t.ctx()
    t.open(1, way=way)
    t.open(2, way=way, name="other.test")
    t.talk(1)
    t.talk(2, 6, 7)
    t.says(1, data_in=50, data_out=100, server_name="api.test")
    t.says(2, data_in=7, data_out=6, server_name="other.test")
    t.client.do("half 1", "0")
    t.client.do("free 1")
    t.client.do("close 1", "0")
    t.talk(2, 6, 7)
    t.says(2, data_in=14, data_out=12)


@versions
@scenario(**G)
def test_a_resumed_handshake_is_told_as_that(t, version):
    t.ctx(version)
    t.open(1)
    t.talk(1)
    t.client.do("save 1", "0")
    t.dial(2)
    t.new(2)
    t.client.do("resume 2", "0")
    t.shake(2)
    t.talk(2, 5, 6)
    t.client.do("facts 2", f"TLS{version} 1")
    t.says(2, handshake="resumed", data_in=6, data_out=5)
    t.says(1, handshake="full", data_in=50, data_out=100)


@scenario(**G)
def test_what_is_left_of_a_record_is_pending(t):
    t.ctx()
    t.open()
    t.server.do("write 1 1000", "1000")
    t.client.do("read 1 100", "100")
    t.client.do("pending 1", "900")
    t.says(data_in=100, pending=900)
    t.client.do("read 1 5000", "900")
    t.says(data_in=1000, pending=None)


@scenario(**G)
def test_corked_bytes_are_counted_once(t):
    t.ctx()
    t.open()
    t.client.do("cork 1")
    t.client.do("write 1 100", "100")
    t.client.do("write 1 100", "100")
    t.client.do("uncork 1", "200")
    t.server.do("drain 1 200", "200")
    t.says(data_out=200)


@scenario(**G)
def test_key_updates_and_tickets_are_no_data(t):
    t.ctx()
    t.open()
    t.talk()
    for asking, other in ((t.client, t.server), (t.server, t.client)):
        asking.do("keyupdate 1", "0")
        asking.do("write 1 10", "10")
        other.do("drain 1 10", "10")
        other.do("write 1 10", "10")
        asking.do("drain 1 10", "10")
    t.says(data_in=70, data_out=120, handshake="full")


@scenario(**G)
def test_after_a_renegotiation_it_is_the_same_connection(t):
    t.ctx("1.2")
    t.open()
    t.talk()
    t.server.do("renegotiate 1", "0")
    t.client.do("read 1 10", "-37")  # GNUTLS_E_REHANDSHAKE
    t.shake()
    t.talk()
    t.says(handshake="full", data_in=100, data_out=200, version="TLSv1.2")


@scenario(**G)
def test_close_notify_is_told_by_direction(t):
    t.ctx()
    t.open(1)
    t.client.do("half 1", "0")
    t.says(close_notify="sent")
    t.server.do("read 1 100", "0")
    t.server.do("half 1", "0")
    t.client.do("shutdown 1", "0")
    t.says(close_notify="sent, received")
    t.open(2)
    t.server.do("half 2", "0")
    t.client.do("read 2 100", "0")
    t.says(2, close_notify="received")


@scenario(**G)
def test_an_end_without_close_notify_is_not_told_as_received(t):
    t.ctx()
    t.open()
    t.talk()
    t.server.do("close 1")
    t.client.do("read 1 100", "-110")  # GNUTLS_E_PREMATURE_TERMINATION
    t.says(close_notify=None, data_in=50)


@scenario(**G)
def test_failing_calls_answer_as_they_do_bare(t):
    t.ctx()
    t.open(1)
    t.server.do("put 1 this-is-no-record-at-all")
    for command in ("read 1 100", "read 1 100", "write 1 100", "half 1", "pending 1"):
        t.client.do(command)
    t.open(2)
    t.server.do("close 2")
    for command in ("read 2 100", "write 2 100", "write 2 100", "half 2", "keyupdate 2"):
        t.client.do(command)
    t.client.do("new 3 client")
    for command in ("read 3 100", "write 3 100", "half 3", "pending 3", "connect 3", "free 3"):
        t.client.do(command)
    t.open(4)
    t.client.do("close 4")
    for command in ("write 4 10", "read 4 10", "half 4", "free 4"):
        t.client.do(command)
    http = PlainHttp()
    t.client.do(f"dial 5 {http.port}")
    t.client.do("new 5 client")
    t.client.do("use 5 fd")
    for command in ("connect 5", "connect 5", "write 5 10", "half 5", "free 5"):
        t.client.do(command)
    http.stop()


@scenario(**G)
def test_a_handshake_that_has_to_wait_again_and_again_is_one(t):
    slow = Trickles(t.server.port)
    t.ctx()
    t.client.do(f"dial 1 {slow.port}")
    t.server.do("take 1")
    t.new()
    t.client.do("nonblock 1")
    t.both("handshake 1", "accept 1")
    t.client.do("write 1 10", "10")
    t.server.do("drain 1 10", "10")
    t.says(handshake="full", data_in=0, data_out=10)
    slow.stop()


@scenario(**G, leak_after="300ms")
def test_a_handshake_that_is_never_answered_is_a_risk(t):
    holds = Holds()
    t.ctx()
    t.client.do(f"dial 1 {holds.port}")
    t.client.do("new 1 client")
    t.client.do("name 1 slow.test")
    t.client.do("use 1 fd")
    t.client.do("nonblock 1")
    t.client.do("connect 1", "-28")  # GNUTLS_E_AGAIN
    for group in t.told("RISK", "tls-handshake", count=1):
        [connection] = group.connections
        assert connection.tls.begun and connection.tls.version is None
        assert group.host == f"slow.test:{holds.port}"
    holds.stop()


@scenario(**G)
def test_after_a_jump_out_of_a_callback_everything_is_counted(t):
    t.ctx()
    t.open(1, way="functions")
    t.client.do("on pull 1 jump")
    t.client.do("read 1 10", "JUMPED")
    t.talk()
    t.says(data_in=50, data_out=100)
    t.open(2)
    t.talk(2, 5, 6)
    t.says(2, data_in=6, data_out=5)


@scenario(**G)
def test_a_thread_that_is_cancelled_in_a_read_leaves_others_usable(t):
    t.ctx()
    t.open(1)
    t.open(2)
    t.client.do("cancel 1", "CANCELED")
    t.talk(2)
    t.says(2, data_in=50, data_out=100)
    t.client.do("close 1", "0")


@scenario(**G)
def test_what_a_verify_callback_does_on_other_connections_is_theirs(t):
    holds = Holds()
    t.ctx()
    t.client.do(f"dial 3 {holds.port}")
    t.dial()
    t.new()
    t.client.do("on verify 1 put 3 hello")
    t.server.say("accept 1")
    t.client.say("connect 1")
    t.client.did("put 3", "5")
    t.client.did("connect 1", "0")
    t.server.did("accept 1", "0")
    t.says_no_tls(3)
    t.talk()
    t.says(1, data_in=50, data_out=100)
    t.says_no_tls(3)
    holds.stop()


@scenario(**G)
def test_a_number_that_is_another_connections_by_now_has_no_tls(t):
    t.ctx()
    t.open(1)
    t.talk(1)
    t.client.do("close 1", "0")
    t.dial(2)
    assert t.client.fd[1] == t.client.fd[2]
    t.client.do("put 2 hello")
    t.says_no_tls(2)
    t.client.do("free 1")
    t.client.do("put 2 hello")
    t.says_no_tls(2)


@scenario(**G)
def test_a_child_may_go_on_with_the_connection(t):
    t.ctx()
    t.open()
    t.talk()
    t.client.do("fork", "FORKED")
    t.talk(1, 10, 20)
    t.client.do("half 1", "0")
    t.client.do("free 1")
    t.says(data_in=50, data_out=100, close_notify=None, freed=None)


@pytest.mark.parametrize("version, write, read", [
    ("1.2", "", "seq"), ("1.3", "", "seq"), ("1.2", "", "packet"), ("1.3", "", "packet"),
    ("1.3", "padded", ""), ("1.2", "file", ""), ("1.3", "file", "")])
@scenario(**G)
def test_every_way_to_send_and_receive_is_counted(t, version, write, read):
    t.ctx(version)
    t.open()
    for n in (100, 30):
        t.client.do(f"write 1 {n} {write}".rstrip(), f"{n}")
        t.server.do(f"read 1 {n} {read}".rstrip(), f"{n}")
    t.server.do(f"write 1 7 {write}".rstrip(), "7")
    t.client.do(f"read 1 7 {read}".rstrip(), "7")
    t.says(data_in=7, data_out=130)
