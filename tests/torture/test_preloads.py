"""Other libraries that are preloaded, before us and behind us: nothing crashes, and all is seen that
our place in the order lets us see."""
import glob
import socket
import struct

import pytest

import truth
from faults import FaultServer
from look import assert_right, end, places, ready

LIBRARIES = {"jemalloc": "libjemalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4",
             "faketime": "faketime/libfaketimeMT.so.1", "proxychains": "libproxychains.so.4",
             "torsocks": "torsocks/libtorsocks.so", "socket_wrapper": "libsocket_wrapper.so"}
orders = pytest.mark.parametrize("first", [True, False], ids=["we first", "it first"])


def library(name):
    found = glob.glob(f"/usr/lib/*/{LIBRARIES[name]}")
    if not found:
        pytest.skip(f"no {LIBRARIES[name]}")
    return found[0]


def preload(guard, name, first):
    pair = [str(guard.lib), library(name)]
    return {"LD_PRELOAD": " ".join(pair if first else pair[::-1])}


class Socks(FaultServer):
    """Says yes to every SOCKS5 request, and is then whatever was asked for: an echo of one line."""

    def serve(self, conn):
        methods = conn.recv(2)[1]
        conn.recv(methods)
        conn.sendall(b"\5\0")
        kind = conn.recv(4)[3]
        size = {1: 4, 4: 16}.get(kind) or conn.recv(1)[0]
        conn.recv(size + 2)
        conn.sendall(b"\5\0\0\1" + socket.inet_aton("127.0.0.1") + struct.pack(">H", self.port))
        return conn


@pytest.fixture
def socks():
    server = Socks()
    yield server
    server.stop()


@orders
@pytest.mark.parametrize("name", ["jemalloc", "tcmalloc", "faketime"])
def test_beside_allocators_and_clocks_all_is_seen(guard, start, loop, name, first):
    app = start("threads", "plain", env={**preload(guard, name, first), "FAKETIME": "+1d"})
    ready(app)
    assert_right(guard, app.pid, 2)
    end(app)


@orders
def test_beside_proxychains_all_is_seen(guard, start, home, socks, first):
    """Behind it, the peer is the proxy; in front of it, what the program asked for."""
    conf = home / "proxychains.conf"
    conf.write_text(f"strict_chain\n[ProxyList]\nsocks5 127.0.0.1 {socks.port}\n")
    app = start("dials", "198.51.100.7", env={**preload(guard, "proxychains", first),
                                              "PROXYCHAINS_CONF_FILE": conf,
                                              "PROXYCHAINS_QUIET_MODE": 1})
    ready(app)
    kernel, report = truth.connections(app.pid), guard.by_command(app.pid)
    assert len(kernel) == report.open == 3 and not report.notes, report.text
    if not first:
        assert places(report.connections) == places(kernel), report.text
    end(app)


@orders
def test_beside_torsocks_nothing_is_harmed(guard, start, home, socks, first):
    """It goes to libc's own functions: what is behind it sees nothing."""
    conf = home / "torsocks.conf"
    conf.write_text(f"TorAddress 127.0.0.1\nTorPort {socks.port}\n")
    app = start("dials", "198.51.100.7", env={**preload(guard, "torsocks", first),
                                              "TORSOCKS_CONF_FILE": conf, "TORSOCKS_LOG_LEVEL": 1})
    ready(app)
    assert len(truth.connections(app.pid)) == 3
    if first:
        report = guard.by_command(app.pid)
        assert report.open == 3 and not report.notes, report.text
    end(app)


@orders
def test_beside_socket_wrapper_nothing_is_harmed(guard, start, home, first):
    (home / "sockets").mkdir(mode=0o700)
    app = start("dials", "itself", env={**preload(guard, "socket_wrapper", first),
                                        "SOCKET_WRAPPER_DIR": home / "sockets",
                                        "SOCKET_WRAPPER_DEFAULT_IFACE": 10})
    ready(app)
    assert truth.connections(app.pid) == []
    end(app)
