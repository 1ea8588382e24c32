"""A server of HTTP/1.1 that does what the path of a request says: /RUN/PAGE, see Pages.

RUN names one run of a client, so that several may ask at once: the server counts the requests of
each, and holds back what it is to hold back until that run is let go.
"""
import contextlib
import socket
import ssl
import threading
from collections import Counter

from faults import FaultServer
from servers import LARGE

BLOCK = bytes(1 << 16)
SMALL, PAGE = b"small", b"x" * 12_000  # which is more than clients read for a head
IDLE = 0.5  # seconds


class FaultPages(FaultServer):
    """Each connection has a thread. With certificates it speaks TLS."""

    def __init__(self, certificates=None):
        self.tls = None
        if certificates:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificates.pem, certificates.key)
        self.asked, self.gathered, self.free = Counter(), Counter(), set()
        self.changed = threading.Condition()
        super().__init__()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, len(BLOCK))

    def requests(self, run):
        """How many were made by this run."""
        with self.changed:
            return self.asked[run]

    def let_go(self, run):
        """What this run was made to wait for comes."""
        with self.changed:
            self.free.add(run)
            self.changed.notify_all()

    def wait_until_free(self, run):
        with self.changed:
            self.changed.wait_for(lambda: run in self.free, 60)

    def wait_for_others(self, run, number):
        """Until so many requests of this run are here."""
        with self.changed:
            self.gathered[run] += 1
            due = -(-self.gathered[run] // number) * number
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.gathered[run] >= due, 60)

    def serve(self, conn):
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._talk, args=(conn,), daemon=True).start()

    def _talk(self, conn):
        with contextlib.suppress(OSError), conn:  # the client may go at any moment
            with self.tls.wrap_socket(conn, server_side=True) if self.tls else conn as conn:
                with contextlib.suppress(TimeoutError):
                    while self._answer(conn):
                        pass
                if self.tls:
                    self._say_goodbye(conn)

    def _answer(self, conn):
        """False: that was the last."""
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            data = conn.recv(65536)
            if not data:
                return False
            request += data
        target, _, fields = request.decode().partition(" HTTP/1.1\r\n")
        _, run, page, *words = target.split("/")
        with self.changed:
            self.asked[run] += 1
        pages = Pages(self, conn, run, "\nconnection: close" in ("\n" + fields.lower()))
        getattr(pages, page.replace("-", "_"))(*words)
        return not pages.closes

    @staticmethod
    def _say_goodbye(conn):
        """As servers do: close_notify, and no wait for the other's."""
        conn.settimeout(0)
        with contextlib.suppress(OSError, ValueError):
            conn.unwrap()


class Pages:
    """The answers to one request. `closes`: the connection ends with it."""

    def __init__(self, server, conn, run, closes):
        self.server, self.conn, self.run, self.closes = server, conn, run, closes

    def head(self, *fields, status="200 OK"):
        close = ["Connection: close"] if self.closes else []
        return "\r\n".join([f"HTTP/1.1 {status}", *fields, *close, "", ""]).encode()

    def whole(self, body, **how):
        return self.head(f"Content-Length: {len(body)}", **how) + body

    def small(self):
        self.conn.sendall(self.whole(SMALL))

    def page(self):
        self.conn.sendall(self.whole(PAGE))

    def large(self):
        """A length, and more than fits into the buffers between us."""
        self.conn.sendall(self.head(f"Content-Length: {LARGE}"))
        for _ in range(LARGE // len(BLOCK)):
            self.conn.sendall(BLOCK)

    def chunked(self):
        """The same in one chunk: wherever a client stops, it is inside."""
        self.conn.sendall(self.head("Transfer-Encoding: chunked") + b"%x\r\n" % LARGE)
        for _ in range(LARGE // len(BLOCK)):
            self.conn.sendall(BLOCK)
        self.conn.sendall(b"\r\n0\r\n\r\n")

    def endless(self):
        """No length: its end is the end of the connection."""
        self.closes = True
        self.conn.sendall(self.head())
        while True:
            self.conn.sendall(BLOCK)

    def error(self):
        self.conn.sendall(self.whole(b"broken", status="500 Internal Server Error"))

    def error_page(self):
        """An error that says more than a client's first read takes, and then the end."""
        self.closes = True
        self.conn.sendall(self.whole(PAGE, status="500 Internal Server Error"))

    def bye(self):
        """Closes, and has said so."""
        self.closes = True
        self.small()

    def hangup(self):
        """Closes, and has not said so: the end comes in one packet with the response."""
        whole = self.whole(SMALL)
        if isinstance(self.conn, ssl.SSLSocket):
            self.conn.sendall(whole)
        else:
            self.conn.sendall(whole, socket.MSG_MORE)
            self.conn.shutdown(socket.SHUT_WR)
        self.closes = True

    def idle(self):
        """Closes what lies idle, as all servers do in the end."""
        self.conn.settimeout(IDLE)
        self.small()

    def together(self, number):
        """Answers when so many requests are here."""
        self.server.wait_for_others(self.run, int(number))
        self.small()

    def together_idle(self, number):
        self.conn.settimeout(IDLE)
        self.together(number)

    def stall(self):
        """Answers when the run is let go."""
        self.server.wait_until_free(self.run)
        self.small()

    def slow(self):
        """Some of the page, and the rest when the run is let go."""
        whole = self.whole(PAGE)
        self.conn.sendall(whole[:1000])
        self.server.wait_until_free(self.run)
        self.conn.sendall(whole[1000:])
