"""What is on the wire is what is there without the guard: the same TLS records, of the same lengths,
in each direction.
"""
import socket
import ssl
import subprocess
import threading

import pytest

from faults import FaultServer
from guard import Guard
from matrix import PYTHON
from process import DEADLINE, clean_env
from scene import Peer

BARE_RUNS = 2
BODY = b"x" * 40000  # several records


class Wire(FaultServer):
    """Passes one connection on, both ways, and keeps what has passed."""

    def __init__(self, to):
        self.to, self.passed, self.threads = to, {"out": b"", "in": b""}, []
        super().__init__()

    def serve(self, conn):
        onward = socket.create_connection(("127.0.0.1", self.to))
        for name, source, target in (("out", conn, onward), ("in", onward, conn)):
            self.threads.append(threading.Thread(target=self._pass, args=(name, source, target)))
            self.threads[-1].start()

    def _pass(self, name, source, target):
        try:
            while data := source.recv(65536):
                self.passed[name] += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other way has ended

    def records(self):
        """When both ends have closed: {direction: [(type, version, length)]}"""
        for thread in self.threads:
            thread.join(DEADLINE)
            assert not thread.is_alive(), "a connection that has no end"
        return {name: records(data) for name, data in self.passed.items()}


def records(data):
    found = []
    while data:
        length = int.from_bytes(data[3:5], "big")
        found.append((data[0], data[1:3].hex(), length))
        assert len(data) >= 5 + length, "half a record"
        data = data[5 + length:]
    return found


class Https(FaultServer):
    """One response, and close_notify; then waits for the client's end."""

    def __init__(self, certificate):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        super().__init__()

    def serve(self, conn):
        with self.context.wrap_socket(conn, server_side=True) as tls:
            request = b""
            while b"\r\n\r\n" not in request:
                request += tls.recv(65536)
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
            while tls.recv(65536):
                pass


@pytest.fixture
def https(certificate):
    server = Https(certificate)
    yield server
    server.stop()


def https_client(*argv):
    """Runs it against the server, through a wire."""
    def run(https, env, home):
        wire = Wire(https.port)
        done = subprocess.run([word.format(port=wire.port) for word in argv], env=env, cwd=home,
                              capture_output=True, timeout=DEADLINE)
        assert done.returncode == 0 and done.stdout == BODY, done.stderr
        found = wire.records()
        wire.stop()
        return found
    return run


def peer_client(bindir, certificate, stack, version):
    """Two scripted ends through a wire."""
    def run(_https, env, home):
        argv = [f"{bindir}/{stack}_peer", *certificate]
        with Peer(argv, env, home / "client") as client, \
             Peer(argv, clean_env(home), home / "server") as server:
            wire = Wire(server.port)
            for end in (client, server):
                end.do(f"ctx {version}")
            client.do(f"dial 1 {wire.port}")
            server.do("take 1")
            for end, role in ((client, "client"), (server, "server")):
                end.do(f"new 1 {role}")
                end.do("use 1 fd")
            client.do("name 1 api.test")
            server.say("accept 1")
            client.do("connect 1")
            server.did("accept 1")
            for size in (1, 100, 16384):
                server.say(f"drain 1 {size}")
                client.do(f"write 1 {size}", f"{size}")
                server.did("drain 1", f"{size}")
                server.do("write 1 10", "10")
                client.do("drain 1 10", "10")
            client.do("shutdown 1" if stack == "openssl" else "half 1")
            server.do("read 1 1")
            for end in (client, server):
                end.do("free 1")
                end.do("close 1", "0")
            found = wire.records()
            wire.stop()
            return found
    return run


URLLIB = """
import ssl, sys, urllib.request
context = ssl._create_unverified_context()
context.maximum_version = ssl.TLSVersion.{}
sys.stdout.buffer.write(urllib.request.urlopen("https://localhost:{{port}}/", context=context).read())
"""
CURL = ["curl", "-ks", "https://localhost:{port}/"]
WGET = ["wget", "-q", "-O", "-", "--no-check-certificate", "https://localhost:{port}/"]
CLIENTS = {
    "curl 1.2": https_client(*CURL, "--tls-max", "1.2"),
    "curl 1.3": https_client(*CURL, "--tlsv1.3"),
    "wget 1.2": https_client(*WGET, "--secure-protocol=TLSv1_2"),
    "wget 1.3": https_client(*WGET, "--secure-protocol=TLSv1_3"),
    "python 1.2": https_client(PYTHON, "-c", URLLIB.format("TLSv1_2")),
    "python 1.3": https_client(PYTHON, "-c", URLLIB.format("TLSv1_3")),
}


def assert_same_on_the_wire(run, https, home):
    """Were lengths a matter of chance, guarded ones would be among those of several bare runs."""
    bare = [run(https, clean_env(home), home) for _ in range(BARE_RUNS)]
    guarded = run(https, Guard(home).quiet_env(), home)
    assert guarded in bare
    assert {kind for kind, *_ in guarded["out"]} >= {22, 23}, "handshake and data"


@pytest.mark.parametrize("client", CLIENTS)
def test_programs_send_the_same_records_guarded(https, home, client):
    assert_same_on_the_wire(CLIENTS[client], https, home)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("stack", ["openssl", "gnutls"])
def test_libraries_send_the_same_records_guarded(bindir, certificate, home, stack, version):
    assert_same_on_the_wire(peer_client(bindir, certificate, stack, version), None, home)
