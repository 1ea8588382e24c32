"""Sockets that speak HTTP by hand: healthy_raw.py WHAT HOST PORT [CA], then at rest."""
import os
import select
import socket
import sys
import tempfile
import time

from healthy import PAUSE, background, rest, steadily
from healthy_http import connect, host, port, read, read_small, read_until, request, use


# --- one after another ---------------------------------------------------------------------------

def pipelined(count):
    def what():
        connection = connect()
        connection.sendall(request("/small") * count)
        for _ in range(count):
            read_small(connection)
        return connection

    return what


def slowly_pipelined():
    """For ever: requests one by one, and their answers are read when all have been asked."""
    connection = connect()

    def ask():
        for _ in range(16):
            connection.sendall(request("/small"))
            time.sleep(0.12)
        for _ in range(16):
            read_small(connection)

    return steadily(ask)


def by_the_end():
    """HTTP/1.0: the end of the stream is the end of the body, and then it is closed."""
    for _ in range(5):
        with connect() as connection:
            connection.sendall(b"GET /end HTTP/1.0\r\n\r\n")
            data = b""
            while piece := connection.recv(4096):
                data += piece
            assert data.endswith(b"x" * 1000) and len(data) > 100_000


def closed_politely():
    """Ends its side first, and waits for the server's end before it closes."""
    for _ in range(4):
        with connect() as connection:
            connection.sendall(request("/lingering"))
            read_small(connection)
            time.sleep(PAUSE)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""


def peeked():
    """A pool that looks whether its connection is alive each time before it is used."""
    connection = connect()
    connection.setblocking(False)

    def check():
        try:
            connection.recv(1, socket.MSG_PEEK)
            raise AssertionError("something has come")
        except BlockingIOError:
            pass

    connection.setblocking(True)
    use(connection)
    connection.setblocking(False)
    return steadily(check)


def expecting():
    """A request whose body waits for the server's 100 (Continue), which comes late."""
    connection = connect()

    def upload():
        connection.sendall(request("/echo/5000", "POST", "Expect: 100-continue",
                                   "Content-Length: 5"))
        assert b" 100 " in read_until(connection, b"\r\n\r\n")
        connection.sendall(b"12345")
        assert b" 200 " in read_until(connection, b"\r\n\r\n") and read(connection, 1) == b"5"

    return steadily(upload)


def interim():
    connection = connect()
    for _ in range(3):
        connection.sendall(request("/hints"))
        assert b" 103 " in read_until(connection, b"\r\n\r\n")
        assert b" 200 " in read_until(connection, b"\r\n\r\n")
        assert read(connection, 6) == b"hinted"
    return connection


def early():
    """An upload in pieces whose answer comes meanwhile, and is read at its end."""
    connection = connect()

    def upload():
        connection.sendall(request("/early", "POST", "Transfer-Encoding: chunked"))
        for _ in range(20):
            connection.sendall(b"4\r\nbody\r\n")
            time.sleep(0.12)
        connection.sendall(b"0\r\n\r\n")
        read_until(connection, b"\r\n0\r\n\r\n")

    return steadily(upload)


def surplus():
    """What the server sends behind its answer is not read, or not before the next one."""
    connection = connect()
    connection.sendall(request("/surplus"))
    read_small(connection)
    return connection


def half_closed():
    """Nothing more to ask; the answer takes its time."""
    connection = connect()
    connection.sendall(request("/drip/500"))
    connection.shutdown(socket.SHUT_WR)
    return steadily(lambda: read(connection, 1024), pause=0)


def sipped():
    """A little now and then, of what came in one piece: a record of TLS, or what the kernel has."""
    connection = connect()
    connection.sendall(request("/page"))
    read_until(connection, b"\r\n\r\n")
    return steadily(lambda: read(connection, 50), pause=0.1)


def spliced():
    """Bodies that do not pass through the program."""
    connection = connect()
    ours, theirs = os.pipe()

    def get():
        connection.sendall(request("/page"))
        read_until(connection, b"\r\n\r\n")
        left = 100_000
        while left:
            moved = os.splice(connection.fileno(), theirs, min(left, 65536))
            left -= moved
            os.read(ours, moved)

    return steadily(get, pause=1.2)


def discarded():
    """Bodies that are thrown away unread."""
    connection = connect()

    def get():
        connection.sendall(request("/page"))
        read_until(connection, b"\r\n\r\n")
        left = 100_000
        while left:
            left -= len(connection.recv(left, socket.MSG_TRUNC))

    return steadily(get, pause=1.2)


def sent_from_a_file():
    connection = connect()
    file = tempfile.TemporaryFile()
    file.write(b"x" * 1000)
    file.flush()

    def post():
        connection.sendall(request("/upload", "POST", "Content-Length: 1000"))
        assert os.sendfile(connection.fileno(), file.fileno(), 0, 1000) == 1000
        assert b" 200 " in read_until(connection, b"\r\n\r\n") and read(connection, 4) == b"1000"

    return steadily(post, pause=1.2)


def with_a_busy_loop():
    """Events that may have to wait while the loop does something else, for less than leak_after."""
    connection = connect()
    connection.sendall(request("/events/3100"))
    read_until(connection, b"\r\n\r\n")

    def once():
        time.sleep(1)
        while select.select([connection], [], [], 0)[0]:
            assert connection.recv(4096)

    return steadily(once, pause=0)


# --- several at once ------------------------------------------------------------------------------

def three(start):
    """Opened one after another by one thread, which then waits for all of them, and serves them."""
    def what():
        connections = []
        for _ in range(3):
            connections.append(connect())
            start(connections[-1])
            time.sleep(PAUSE)

        def serve():
            while True:
                for ready in select.select(connections, [], [])[0]:
                    assert ready.recv(4096)

        background(serve)
        return connections

    return what


def start_events(path):
    def start(connection):
        connection.sendall(request(path))
        read_until(connection, b"\n\n\r\n")

    return start


def start_websocket(path):
    def start(connection):
        upgrade(connection, path)

    return start


def upgrade(connection, path):
    connection.sendall(request(path, "GET", "Connection: Upgrade", "Upgrade: websocket",
                               "Sec-WebSocket-Version: 13",
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
    assert b" 101 " in read_until(connection, b"\r\n\r\n")
    connection.sendall(b"\x81\x82\0\0\0\0hi")
    assert read(connection, 4) == b"\x81\x02hi"


def websocket(path):
    """Read by a thread that answers pings."""
    def what():
        connection = connect()
        upgrade(connection, path)

        def answer():
            while True:
                assert read(connection, 2) == b"\x89\0"
                connection.sendall(b"\x8a\x80\0\0\0\0")

        background(answer)
        return connection

    return what


def tunnels():
    """Two tunnels through a proxy, used several times."""
    kept = []
    for _ in range(2):
        kept.append(connect())
        kept[-1].sendall(f"CONNECT {host}:{port} HTTP/1.1\r\n\r\n".encode())
        assert b" 200 " in read_until(kept[-1], b"\r\n\r\n")
        use(kept[-1])
        time.sleep(PAUSE)
    return kept


def by_socks():
    kept = []
    for _ in range(2):
        kept.append(connect())
        kept[-1].sendall(b"\5\1\0")
        assert read(kept[-1], 2) == b"\5\0"
        kept[-1].sendall(b"\5\1\0\1" + socket.inet_aton(host) + port.to_bytes(2, "big"))
        assert read(kept[-1], 10)[:2] == b"\5\0"
        use(kept[-1])
        time.sleep(PAUSE)
    return kept


WHAT = {"pipelined": pipelined(5), "deeply-pipelined": pipelined(40),
        "slowly-pipelined": slowly_pipelined, "by-the-end": by_the_end, "peeked": peeked,
        "closed-politely": closed_politely, "expecting": expecting, "interim": interim,
        "early": early, "surplus": surplus, "half-closed": half_closed, "sipped": sipped,
        "spliced": spliced, "discarded": discarded, "sent-from-a-file": sent_from_a_file,
        "busy-loop": with_a_busy_loop,
        "three-events": three(start_events("/events/2000")),
        "three-silent": three(start_events("/once")),
        "three-websockets": three(start_websocket("/ws/0")),
        "websocket": websocket("/ws/0"), "websocket-pings": websocket("/ws/200"),
        "tunnels": tunnels, "by-socks": by_socks}

kept = WHAT[sys.argv[1]]()
rest()
